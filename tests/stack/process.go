package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program of the stack: started once, found again by its id.
type process struct {
	name    string
	command []string
	env     []string
	port    int
	wait    time.Duration
}

func (p process) pidFile() string { return inWork("run", p.name+".pid") }
func (p process) logFile() string { return inWork("log", p.name+".log") }

// pid of the process if it runs. A number that another program has got meanwhile is not ours: the
// command line tells.
func (p process) pid() (int, bool) {
	text, err := os.ReadFile(p.pidFile())
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, false
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	// A program that is just being loaded has no command line yet.
	if err != nil || len(line) > 0 && !strings.Contains(string(line), p.command[0]) {
		return 0, false
	}
	return pid, true
}

// start runs the program in a session of its own and waits for its port.
func (p process) start() error {
	if _, runs := p.pid(); !runs {
		log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer log.Close()
		cmd := exec.Command(p.command[0], p.command[1:]...)
		cmd.Dir, cmd.Env = root(), append(os.Environ(), p.env...)
		cmd.Stdout, cmd.Stderr = log, log
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := os.WriteFile(p.pidFile(), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644); err != nil {
			return err
		}
		go cmd.Wait()
	}
	return p.listens()
}

func (p process) listens() error {
	for end := time.Now().Add(p.wait); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if connection, err := net.DialTimeout("tcp", loopback(p.port), time.Second); err == nil {
			connection.Close()
			return nil
		}
		if _, runs := p.pid(); !runs {
			return fmt.Errorf("%s ended: see %s", p.name, p.logFile())
		}
	}
	return fmt.Errorf("%s does not listen on %d after %s: see %s", p.name, p.port, p.wait, p.logFile())
}

// stop asks the program to end, insists after ten seconds, and returns when it is gone.
func (p process) stop() {
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, runs := p.pid(); !runs {
			os.Remove(p.pidFile())
			return
		}
	}
	p.kill()
}

func (p process) kill() {
	p.signal(syscall.SIGKILL)
	for range 100 {
		if _, runs := p.pid(); !runs {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	os.Remove(p.pidFile())
}

func (p process) signal(signal syscall.Signal) {
	if pid, runs := p.pid(); runs {
		syscall.Kill(pid, signal)
	}
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
