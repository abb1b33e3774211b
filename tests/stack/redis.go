package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// redisKeys lists the keys of the store, over a connection of its own.
func redisKeys() ([]string, error) {
	connection, err := net.DialTimeout("tcp", loopback(redisPort), time.Second)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(connection, "*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n")
	reader := bufio.NewReader(connection)
	count, err := number(reader, '*')
	keys := make([]string, 0, max(count, 0))
	for range count {
		size, err := number(reader, '$')
		if err != nil {
			return nil, err
		}
		key := make([]byte, size+2)
		if _, err := io.ReadFull(reader, key); err != nil {
			return nil, err
		}
		keys = append(keys, string(key[:size]))
	}
	return keys, err
}

// number reads a line of RESP that announces a length.
func number(reader *bufio.Reader, kind byte) (int, error) {
	line, err := reader.ReadString('\n')
	if err != nil || line[0] != kind {
		return 0, fmt.Errorf("redis answered %q (%v)", line, err)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

func contains(text, part string) bool { return strings.Contains(text, part) }
