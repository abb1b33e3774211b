// Command stack starts, checks and stops the real programs around Triage on one machine: Dapr's
// sidecars, Kafka, Redis and five agents, with Triage itself on its embedded host (or on Spin).
//
//	go run . up     starts what does not run yet, a line per step
//	go run . test   checks every promise against the real programs
//	go run . down   ends it all, by the processes' own ids
package main

import (
	"fmt"
	"os"
)

func main() {
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var err error
	switch command {
	case "up":
		err = up()
	case "test":
		err = test(os.Args[2:])
	case "down":
		err = down()
	case "token":
		err = printToken(os.Args[2:])
	case "agents":
		err = serveAgents()
	default:
		err = fmt.Errorf("usage: stack up | test [CHECK …] | token [ROLE] | down")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stack:", err)
		os.Exit(1)
	}
}
