package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// check is one promise, tried against the real programs. It returns what it measured.
type check struct {
	name string
	run  func() (string, error)
}

var checks = []check{
	{"daprd-alike", daprdAnswersAsTheStandInDoes},
	{"routes", everyIntentReachesItsAgent},
	{"stream", aStreamPassesUnbuffered},
	{"refused", aRefusedStreamIsNoOutage},
	{"retries", retriesHaveOneOwner},
	{"audit", theEventIsOnItsTopic},
	{"dead-letter", aDeadLetterIsReplayed},
	{"store", countersBreakerAndOutboxAreInRedis},
	{"redis-paused", redisPaused},
	{"redis-stopped", redisStopped},
	{"daprd-killed", daprdKilled},
	{"kafka-stopped", kafkaStopped},
}

// test runs the checks named, or all of them.
func test(names []string) error {
	if err := ready(); err != nil {
		return fmt.Errorf("triage is not ready (make stack-up first): %w", err)
	}
	passed, failed := 0, 0
	for _, c := range checks {
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		began := time.Now()
		fmt.Printf("%-14s ", c.name)
		figures, err := c.attempt()
		if err != nil {
			failed++
			fmt.Printf("FAILED  %5.1f s  %v\n", time.Since(began).Seconds(), err)
			continue
		}
		passed++
		fmt.Printf("ok      %5.1f s  %s\n", time.Since(began).Seconds(), figures)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("logs are in target/stack/log")
	}
	return nil
}

// attempt starts from a well world: agents healthy, breakers closed.
func (c check) attempt() (string, error) {
	if err := calm(); err != nil {
		return "", err
	}
	for _, agent := range agents {
		if answer, err := call("POST", "/api/v1/agents/"+agent+"/breaker/reset", asAdmin(), nil); err != nil || answer.status != 200 {
			return "", fmt.Errorf("reset of %s: %d %v", agent, answer.status, err)
		}
	}
	return c.run()
}

// Questions whose intent is beyond doubt, with the agent each belongs to.
var questions = [][2]string{
	{"why do I get IndexError: list index out of range in my loop?", "debug-agent"},
	{"can you explain what the difference between a list and a tuple is?", "concepts-agent"},
	{"give me another exercise on dictionaries please", "exercise-agent"},
	{"what is my score in the loops module so far?", "progress-agent"},
	{"haha thanks, have a nice weekend", "review-agent"},
}

var stuck = questions[0][0]

func expect(holds bool, format string, values ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, values...)
}

// first is the first fault, if any.
func first(faults ...error) error {
	for _, fault := range faults {
		if fault != nil {
			return fault
		}
	}
	return nil
}

// eventually asks again until it holds or the time is over.
func eventually(limit time.Duration, holds func() (bool, error)) error {
	var last error
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		var ok bool
		if ok, last = holds(); ok {
			return nil
		}
	}
	return fmt.Errorf("not within %s: %v", limit, last)
}

// onTopic waits until all events are on topic, and says how long that took.
func onTopic(topic string, wanted []string, limit time.Duration) (map[string]event, time.Duration, error) {
	began := time.Now()
	var found map[string]event
	err := eventually(limit, func() (bool, error) {
		var err error
		if found, err = ids(topic); err != nil {
			return false, err
		}
		var absent []string
		for _, id := range wanted {
			if _, there := found[id]; !there {
				absent = append(absent, id)
			}
		}
		return len(absent) == 0, fmt.Errorf("%d of %d events are not on %s: %s", len(absent), len(wanted), topic, strings.Join(absent[:min(len(absent), 3)], " "))
	})
	return found, time.Since(began), err
}
