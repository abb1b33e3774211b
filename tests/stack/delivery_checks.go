package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A request reaches the right agent through two real sidecars, with everything an agent needs.
func everyIntentReachesItsAgent() (string, error) {
	var slowest time.Duration
	for _, question := range questions {
		answer, err := ask(question[0], map[string]string{"dapr-app-id": "review-agent"})
		if err != nil {
			return "", err
		}
		if fault := first(
			expect(answer.status == 200, "%s: %d %v", question[0], answer.status, answer.body),
			expect(answer.text("target_agent") == question[1], "%s went to %s", question[0], answer.text("target_agent")),
		); fault != nil {
			return "", fault
		}
		slowest = max(slowest, answer.took)
	}
	all, err := calls()
	if err != nil {
		return "", err
	}
	if len(all) != len(questions) {
		return "", fmt.Errorf("%d calls for %d questions", len(all), len(questions))
	}
	for n, call := range all {
		var body map[string]any
		json.Unmarshal(call.Body, &body)
		if fault := first(
			expect(call.Agent == questions[n][1], "%s was called for %s", call.Agent, questions[n][1]),
			expect(call.Length > 0, "%s saw no content-length", call.Agent),
			expect(body["query"] == questions[n][0], "%s got the question %v", call.Agent, body["query"]),
			headersPresent(call, "Idempotency-Key", "Traceparent", "X-Deadline-Ms", "X-Request-Id", "X-Student-Id"),
		); fault != nil {
			return "", fault
		}
	}
	return fmt.Sprintf("5 of 5, slowest %d ms", slowest.Milliseconds()), nil
}

func headersPresent(call seen, names ...string) error {
	for _, name := range names {
		if call.Headers[name] == "" {
			return fmt.Errorf("%s saw no %s: %v", call.Agent, name, call.Headers)
		}
	}
	return nil
}

// An event stream arrives as it is sent, not at its end.
func aStreamPassesUnbuffered() (string, error) {
	const events, pause = 6, 300
	if err := steer("debug-agent", behaviour{Events: events, PauseMS: pause}); err != nil {
		return "", err
	}
	question := map[string]any{"query": stuck, "student_progress": map[string]any{
		"student_id": student, "exercise_id": "ex_loops-1", "timestamp": "2026-01-01T12:00:00Z", "agent_source": "debug"}}
	response, err := send("POST", triagePort, "/api/v1/triage", merge(asStudent(), map[string]string{"accept": "text/event-stream"}), question)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var names []string
	var worst int64
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if name, found := strings.CutPrefix(lines.Text(), "event: "); found {
			names = append(names, name)
		}
		var token struct {
			Sent int64 `json:"sent_ms"`
		}
		if data, found := strings.CutPrefix(lines.Text(), "data: "); found && json.Unmarshal([]byte(data), &token) == nil && token.Sent > 0 {
			worst = max(worst, time.Now().UnixMilli()-token.Sent)
		}
	}
	order := strings.Join(names, " ")
	return fmt.Sprintf("%d events, at most %d ms on their way", events, worst), first(
		lines.Err(),
		expect(order == "decision"+strings.Repeat(" token", events)+" done", "events: %s", order),
		expect(worst < pause, "an event took %d ms: the stream is collected somewhere", worst),
	)
}

// An agent that refuses to stream is asked once more, in a way that shows its status, and stays in service.
func aRefusedStreamIsNoOutage() (string, error) {
	if err := first(calm(), steer("debug-agent", behaviour{Fail: -1, Status: 400})); err != nil {
		return "", err
	}
	const questions = 6
	for n := 1; n <= questions; n++ {
		answer, err := ask(stuck, map[string]string{"accept": "text/event-stream"})
		if err != nil {
			return "", err
		}
		all, err := calls()
		if err != nil {
			return "", err
		}
		if fault := first(
			expect(answer.status == 502 && answer.text("error") == "agent_rejected", "question %d: %d %v", n, answer.status, answer.body),
			expect(len(all) == 2*n, "question %d: %d calls", n, len(all)),
		); fault != nil {
			return "", fault
		}
	}
	return fmt.Sprintf("%d questions, two calls each", questions), calm()
}

// An agent that fails twice and then answers sees three calls, with one idempotency key.
func retriesHaveOneOwner() (string, error) {
	figures := ""
	for _, status := range []int{503, 500} {
		if err := first(calm(), steer("debug-agent", behaviour{Fail: 2, Status: status})); err != nil {
			return "", err
		}
		answer, err := ask(stuck, nil)
		if err != nil {
			return "", err
		}
		all, err := calls()
		if err != nil {
			return "", err
		}
		keys := map[string]bool{}
		for _, call := range all {
			keys[call.Headers["Idempotency-Key"]] = true
		}
		// 503 is retried; a 500 of the agent's own is not: it may have done the work.
		wanted, wantedStatus := map[int]int{503: 3, 500: 1}[status], map[int]int{503: 200, 500: 502}[status]
		if fault := first(
			expect(len(all) == wanted, "%d: %d calls instead of %d", status, len(all), wanted),
			expect(len(keys) == 1, "%d: %d idempotency keys", status, len(keys)),
			expect(answer.status == wantedStatus, "%d: answered %d", status, answer.status),
		); fault != nil {
			return "", fault
		}
		figures += fmt.Sprintf("%d: %d calls; ", status, len(all))
	}
	return figures, nil
}

// What could not be delivered is on its topic, and is delivered once its agent is back.
func aDeadLetterIsReplayed() (string, error) {
	sidecar := agentSidecar(0)
	sidecar.kill()
	failed, err := ask(stuck, nil)
	if err != nil {
		return "", err
	}
	if failed.status != 502 {
		return "", fmt.Errorf("answered %d with the agent's sidecar gone: %v", failed.status, failed.body)
	}
	instance := strings.TrimPrefix(failed.text("instance"), "urn:uuid:")
	if _, _, err := onTopic("dead-letter.queue", []string{instance}, 20*time.Second); err != nil {
		return "", err
	}
	if err := sidecar.start(); err != nil {
		return "", err
	}
	list, err := call("GET", "/api/v1/dead-letters", asAdmin(), nil)
	if err != nil {
		return "", err
	}
	letters, _ := list.body["dead_letters"].([]any)
	for _, one := range letters {
		letter := one.(map[string]any)
		if letter["request_id"] != instance {
			continue
		}
		var replayed reply
		err := eventually(60*time.Second, func() (bool, error) {
			replayed, err = call("POST", "/api/v1/dead-letters/"+fmt.Sprint(letter["id"])+"/replay", asAdmin(), nil)
			return replayed.status == 200, fmt.Errorf("%d %v %v", replayed.status, replayed.body, err)
		})
		return fmt.Sprintf("replayed %s after the agent's return", letter["id"]), err
	}
	return "", fmt.Errorf("%s is not among %d dead letters", instance, len(letters))
}

// The sidecar gone: every breaker in use opens; back again: it recovers by itself.
func daprdKilled() (string, error) {
	triageSidecar().kill()
	opened := 0
	for range 4 {
		answer, err := ask(stuck, nil)
		if err != nil {
			return "", err
		}
		if answer.status != 502 {
			return "", fmt.Errorf("answered %d without a sidecar", answer.status)
		}
		if answer.text("circuit_breaker") == "open" {
			opened++
		}
	}
	began := time.Now()
	if err := triageSidecar().start(); err != nil {
		return "", err
	}
	err := eventually(60*time.Second, func() (bool, error) {
		answer, err := ask(stuck, nil)
		return answer.status == 200, fmt.Errorf("%d %v", answer.status, err)
	})
	return fmt.Sprintf("open for %d of 4, well %.1f s after the start", opened, time.Since(began).Seconds()),
		first(expect(opened > 0, "the breaker never opened"), err)
}
