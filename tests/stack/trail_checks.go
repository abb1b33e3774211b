package main

import (
	"fmt"
	"sync"
	"syscall"
	"time"
)

// The event of a request is on the topic under the student's key, a CloudEvent as it was sent.
func theEventIsOnItsTopic() (string, error) {
	answer, err := ask(stuck+" mail me: jane.doe@school.example", nil)
	if err != nil {
		return "", err
	}
	found, took, err := onTopic("learning.events", []string{answer.id()}, 20*time.Second)
	if err != nil {
		return "", err
	}
	e := found[answer.id()]
	data, _ := e.cloud["data"].(map[string]any)
	for field, wanted := range map[string]string{
		"specversion": "1.0", "type": "learnflow.triage.decision.v1", "subject": student,
		"source": "/learnflow/triage/decision", "datacontenttype": "application/json",
	} {
		if field != "source" && fmt.Sprint(e.cloud[field]) != wanted {
			return "", fmt.Errorf("%s is %v", field, e.cloud[field])
		}
	}
	return fmt.Sprintf("there after %d ms", took.Milliseconds()), first(
		expect(e.key == student, "its key is %q", e.key),
		expect(data["outcome"] == "completed", "its outcome is %v", data["outcome"]),
		expect(fmt.Sprint(e.cloud["traceparent"])[:36] == answer.header.Get("traceparent")[:36], "traceparent %v, answered %s", e.cloud["traceparent"], answer.header.Get("traceparent")),
	)
}

// Kafka away for a minute under load: afterwards every request is on the topic, and nobody asked
// for that but Dapr's cron binding.
func kafkaStopped() (string, error) {
	broker := kafka()
	var mutex sync.Mutex
	var answered []string
	refused := 0
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(100 * time.Millisecond):
				}
				answer, err := ask(stuck, nil)
				mutex.Lock()
				if err == nil && answer.status == 200 {
					answered = append(answered, answer.id())
				} else {
					refused++
				}
				mutex.Unlock()
			}
		})
	}
	time.Sleep(3 * time.Second)
	broker.stop()
	time.Sleep(60 * time.Second)
	err := broker.start()
	time.Sleep(3 * time.Second)
	close(stop)
	load.Wait()
	if err != nil {
		return "", err
	}
	_, took, err := onTopic("learning.events", answered, 240*time.Second)
	return fmt.Sprintf("%d answered, %d not; all events there %.0f s after the load ended", len(answered), refused, took.Seconds()),
		first(err, expect(refused == 0, "%d requests were not answered", refused))
}

// Redis paused: what a student notices, and for how long.
func redisPaused() (string, error) {
	store := redis()
	store.signal(syscall.SIGSTOP)
	began := time.Now()
	figures, slow, degraded, asked := "", time.Duration(0), 0, 0
	resume := time.AfterFunc(20*time.Second, func() { store.signal(syscall.SIGCONT) })
	defer store.signal(syscall.SIGCONT)
	defer resume.Stop()
	for time.Since(began) < 20*time.Second {
		answer, err := ask(stuck, nil)
		if err != nil || answer.status != 200 {
			return "", fmt.Errorf("%d %v %v", answer.status, answer.body, err)
		}
		asked++
		slow = max(slow, answer.took)
		if answer.degraded("store") {
			degraded++
		}
		time.Sleep(100 * time.Millisecond)
	}
	figures = fmt.Sprintf("20 s paused: %d of %d degraded, slowest %d ms", degraded, asked, slow.Milliseconds())
	recovered := time.Now()
	err := well(30 * time.Second)
	return fmt.Sprintf("%s; well again after %.1f s", figures, time.Since(recovered).Seconds()),
		first(err, expect(degraded > 0, "nothing was degraded"))
}

// Redis stopped: requests go on without limit and breaker; afterwards both count again.
func redisStopped() (string, error) {
	store := redis()
	store.kill()
	var slow time.Duration
	for range 20 {
		answer, err := ask(stuck, nil)
		if fault := first(err, expect(answer.status == 200, "%d %v", answer.status, answer.body),
			expect(answer.degraded("store"), "not degraded: %v", answer.body["degraded"])); fault != nil {
			store.start()
			return "", fault
		}
		slow = max(slow, answer.took)
	}
	began := time.Now()
	if err := store.start(); err != nil {
		return "", err
	}
	// The host's client (redis 0.32, Spin's too) tries again after 1 to 2 s, then after 60 to 120 s.
	if err := well(150 * time.Second); err != nil {
		return "", err
	}
	before, after := remaining(), remaining()
	return fmt.Sprintf("20 of 20 answered, slowest %d ms; well again after %.1f s", slow.Milliseconds(), time.Since(began).Seconds()),
		expect(before-after == 1, "the limit does not count: %d, then %d left", before, after)
}

// well waits for an answer that is not degraded.
func well(limit time.Duration) error {
	return eventually(limit, func() (bool, error) {
		answer, err := ask(stuck, nil)
		return err == nil && answer.status == 200 && answer.body["degraded"] == nil, fmt.Errorf("%d %v %v", answer.status, answer.body["degraded"], err)
	})
}

// remaining is what the limiter says a student has left.
func remaining() int {
	answer, err := ask(stuck, nil)
	left := 0
	if err == nil {
		fmt.Sscanf(answer.header.Get("ratelimit"), `"student";r=%d`, &left)
	}
	return left
}

// The same counters, breaker and outbox as on SQLite stand in Redis.
func countersBreakerAndOutboxAreInRedis() (string, error) {
	if err := steer("debug-agent", behaviour{Fail: -1, Status: 503}); err != nil {
		return "", err
	}
	for range 2 {
		if _, err := ask(stuck, nil); err != nil {
			return "", err
		}
	}
	time.Sleep(500 * time.Millisecond)
	keys, err := redisKeys()
	if err != nil {
		return "", err
	}
	count := map[string]int{}
	for _, key := range keys {
		for _, prefix := range []string{"n:rl:", "v:breakers", "v:dl:", "n:sq:ob:", "n:sq:dl:"} {
			if len(key) >= len(prefix) && key[:len(prefix)] == prefix {
				count[prefix]++
			}
		}
	}
	answer, err := call("GET", "/api/v1/agents", asAdmin(), nil)
	state := fmt.Sprint(answer.body)
	return fmt.Sprintf("%d keys: %v", len(keys), count), first(err,
		expect(count["n:rl:"] > 0 && count["v:breakers"] == 1 && count["v:dl:"] > 0 && count["n:sq:ob:"] > 0, "keys: %v", count),
		expect(contains(state, "open"), "no breaker is open: %s", state))
}
