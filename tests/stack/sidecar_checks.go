package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// expectation is what daprd answers to one request. The stand-in sidecar is held to the same table
// (tests/dapr.rs).
type expectation struct {
	Name       string            `json:"name"`
	Method     string            `json:"method"`
	Path       string            `json:"path"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
	Status     int               `json:"status"`
	ErrorCode  *string           `json:"errorCode"`
	MessageEnd string            `json:"messageEnd"`
	Type       string            `json:"type"`
}

func daprdAnswersAsTheStandInDoes() (string, error) {
	text, err := os.ReadFile(inRepository("tests", "fixtures", "daprd.json"))
	if err != nil {
		return "", err
	}
	var table []expectation
	if err := json.Unmarshal(text, &table); err != nil {
		return "", err
	}
	var differences []string
	for _, wanted := range table {
		if err := wanted.hold(); err != nil {
			differences = append(differences, fmt.Sprintf("%s: %v", wanted.Name, err))
		}
	}
	if err := calm(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d answers are the stand-in's", len(table)), expect(len(differences) == 0, "%s", strings.Join(differences, "; "))
}

func (e expectation) hold() error {
	if err := steer("debug-agent", e.behaviour()); err != nil {
		return err
	}
	request, err := http.NewRequest(e.Method, "http://"+loopback(firstDaprPort)+e.Path, strings.NewReader(e.Body))
	if err != nil {
		return err
	}
	request.Header.Set("dapr-api-token", daprAPIToken)
	for name, value := range e.Headers {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var document struct {
		ErrorCode *string `json:"errorCode"`
		Message   string  `json:"message"`
	}
	json.Unmarshal(text, &document)
	kind := response.Header.Get("content-type")
	return first(
		expect(response.StatusCode == e.Status, "status %d instead of %d: %.200s", response.StatusCode, e.Status, text),
		expect(said(document.ErrorCode) == said(e.ErrorCode), "errorCode %q instead of %q", said(document.ErrorCode), said(e.ErrorCode)),
		expect(strings.HasSuffix(document.Message, e.MessageEnd), "message %q does not end in %q", document.Message, e.MessageEnd),
		expect(strings.HasPrefix(kind, e.Type), "type %q instead of %q", kind, e.Type),
	)
}

// behaviour is what the question asks of the stand-in's agents, asked of ours.
func (e expectation) behaviour() behaviour {
	var question struct {
		Context struct {
			Metadata struct{ Simulate string } `json:"metadata"`
		} `json:"student_context"`
	}
	json.Unmarshal([]byte(e.Body), &question)
	var status int
	if n, _ := fmt.Sscanf(question.Context.Metadata.Simulate, "status:%d", &status); n == 1 {
		return behaviour{Fail: -1, Status: status}
	}
	return behaviour{}
}

func said(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
