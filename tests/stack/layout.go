package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// Ports, all on loopback, below those that systems give to clients (from 32768 on Linux). compose.yaml publishes the first one under the same number.
const (
	triagePort     = 27000
	redisPort      = 27010
	kafkaPort      = 27020
	controllerPort = 27021
	firstAgentPort = 27030
	controlPort    = 27039
	firstDaprPort  = 27100
)

// What the sidecar and Triage prove themselves to each other with, and what signs the tokens: for
// this stack alone, nothing else answers to them.
const (
	daprAPIToken = "stack-dapr-api-token-0123456789abcdef"
	appAPIToken  = "stack-app-api-token-0123456789abcdef"
	jwtSecret    = "stack-jwt-secret-0123456789abcdef-0123456789abcdef"
	recordSecret = "stack-record-secret-0123456789abcdef-0123456789"
)

var agents = []string{"debug-agent", "concepts-agent", "exercise-agent", "progress-agent", "review-agent"}

// topics with their partitions, as a cluster has them.
var topics = map[string]int32{"learning.events": 12, "learning.events.security": 3, "dead-letter.queue": 3}

// root is the repository: the folder with spin.toml above this one.
func root() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "spin.toml")); missing == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	fmt.Fprintln(os.Stderr, "stack: run inside the repository")
	os.Exit(1)
	return ""
}

// inWork is a path in the stack's ignored folder; its parent is there afterwards.
func inWork(parts ...string) string {
	path := filepath.Join(append([]string{root(), "target", "stack"}, parts...)...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
	return path
}

func inRepository(parts ...string) string {
	return filepath.Join(append([]string{root()}, parts...)...)
}
