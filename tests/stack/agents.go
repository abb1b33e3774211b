package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// behaviour of one agent: good unless something is set. The zero value is a healthy agent.
type behaviour struct {
	// Fail so many calls with Status, then be well again; -1 for ever.
	Fail   int `json:"fail"`
	Status int `json:"status"`
	// Stall before the head of the answer.
	StallMS int `json:"stall_ms"`
	// Stream so many events, PauseMS apart; Cut breaks the connection after the first half.
	Events  int  `json:"events"`
	PauseMS int  `json:"pause_ms"`
	Cut     bool `json:"cut"`
}

// seen is one call as the agent got it.
type seen struct {
	Agent   string            `json:"agent"`
	Path    string            `json:"path"`
	Length  int64             `json:"length"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// fleet is the five agents: one process, a port for each, and one to steer and question them.
type fleet struct {
	sync.Mutex
	behaviours map[string]behaviour
	calls      []seen
}

func serveAgents() error {
	fleet := &fleet{behaviours: map[string]behaviour{}}
	for n, agent := range agents {
		go http.ListenAndServe(loopback(firstAgentPort+n), fleet.agent(agent))
	}
	control := http.NewServeMux()
	control.HandleFunc("POST /agents/{agent}", fleet.steer)
	control.HandleFunc("GET /calls", fleet.report)
	control.HandleFunc("DELETE /calls", fleet.forget)
	return http.ListenAndServe(loopback(controlPort), control)
}

func (f *fleet) steer(w http.ResponseWriter, r *http.Request) {
	var wanted behaviour
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.Lock()
	defer f.Unlock()
	f.behaviours[r.PathValue("agent")] = wanted
}

func (f *fleet) report(w http.ResponseWriter, _ *http.Request) {
	f.Lock()
	defer f.Unlock()
	json.NewEncoder(w).Encode(f.calls)
}

func (f *fleet) forget(http.ResponseWriter, *http.Request) {
	f.Lock()
	defer f.Unlock()
	f.calls = nil
}

// next notes a call and says how to take it.
func (f *fleet) next(call seen) behaviour {
	f.Lock()
	defer f.Unlock()
	f.calls = append(f.calls, call)
	now := f.behaviours[call.Agent]
	if now.Fail > 0 {
		left := now
		left.Fail--
		f.behaviours[call.Agent] = left
	}
	return now
}

func (f *fleet) agent(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/process" {
			// Dapr asks a new app for its subscriptions and settings.
			http.NotFound(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		call := seen{Agent: name, Path: r.URL.Path, Length: r.ContentLength, Headers: map[string]string{}, Body: body}
		for header := range r.Header {
			call.Headers[http.CanonicalHeaderKey(header)] = r.Header.Get(header)
		}
		if !json.Valid(body) {
			call.Body = nil
		}
		f.next(call).answer(w, r, name)
	})
}

func (b behaviour) answer(w http.ResponseWriter, r *http.Request, name string) {
	select {
	case <-time.After(time.Duration(b.StallMS) * time.Millisecond):
	case <-r.Context().Done():
		return
	}
	switch {
	case b.Fail != 0:
		w.Header().Set("content-type", "application/json")
		w.WriteHeader(b.Status)
		fmt.Fprintf(w, `{"error":"told to fail with %d"}`, b.Status)
	case b.Events > 0:
		b.stream(w)
	default:
		w.Header().Set("content-type", "application/json")
		fmt.Fprintf(w, `{"agent":%q,"status":"success","response":{"text":"look at line 3"}}`, name)
	}
}

func (b behaviour) stream(w http.ResponseWriter) {
	w.Header().Set("content-type", "text/event-stream")
	for n := range b.Events {
		fmt.Fprintf(w, "event: token\ndata: {\"n\":%d,\"sent_ms\":%d}\n\n", n, time.Now().UnixMilli())
		w.(http.Flusher).Flush()
		if b.Cut && n >= b.Events/2 {
			panic(http.ErrAbortHandler)
		}
		time.Sleep(time.Duration(b.PauseMS) * time.Millisecond)
	}
}

// --- the other side of it, for the checks ---

func steer(agent string, wanted behaviour) error {
	_, err := control("POST", "/agents/"+agent, wanted)
	return err
}

// calm makes every agent healthy and forgets what was seen.
func calm() error {
	for _, agent := range agents {
		if err := steer(agent, behaviour{}); err != nil {
			return err
		}
	}
	_, err := control("DELETE", "/calls", nil)
	return err
}

func calls() ([]seen, error) {
	text, err := control("GET", "/calls", nil)
	var all []seen
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	return all, err
}

func control(method, path string, body any) ([]byte, error) {
	return exchange(method, controlPort, path, nil, body)
}
