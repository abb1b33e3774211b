package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	student = "student_0a1b2c3d-0000-4000-8000-00000000abcd"
	staff   = "staff_0a1b2c3d-0000-4000-8000-00000000beef"
)

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func jwks() string {
	return fmt.Sprintf(`{"keys":[{"kty":"oct","alg":"HS256","kid":"stack","k":"%s"}]}`, encode([]byte(jwtSecret)))
}

func token(sub, role string) string {
	claims, _ := json.Marshal(map[string]any{
		"iss": "learnflow-auth", "aud": "learnflow-api", "sub": sub, "role": role,
		"exp": time.Now().Add(time.Hour).Unix(),
	})
	signed := encode([]byte(`{"alg":"HS256","kid":"stack"}`)) + "." + encode(claims)
	mac := hmac.New(sha256.New, []byte(jwtSecret))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// printToken prints a token that the stack accepts for an hour.
func printToken(roles []string) error {
	role := "student"
	if len(roles) > 0 {
		role = roles[0]
	}
	subjects := map[string]string{"student": student, "instructor": staff, "admin": staff}
	sub, known := subjects[role]
	if !known {
		return fmt.Errorf("unknown role %q: student, instructor or admin", role)
	}
	fmt.Println(token(sub, role))
	return nil
}

func asStudent() map[string]string {
	return map[string]string{"authorization": "Bearer " + token(student, "student")}
}

func asAdmin() map[string]string {
	return map[string]string{"authorization": "Bearer " + token(staff, "admin")}
}

// reply of Triage to one question.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	took   time.Duration
}

func (r reply) text(field string) string { return fmt.Sprint(r.body[field]) }
func (r reply) id() string               { return r.text("request_id") }

func (r reply) degraded(reason string) bool {
	list, _ := r.body["degraded"].([]any)
	for _, found := range list {
		if found == reason {
			return true
		}
	}
	return false
}

var client = &http.Client{Timeout: 60 * time.Second}

// ask sends a question; headers come on top of a student's token.
func ask(query string, headers map[string]string) (reply, error) {
	question := map[string]any{"query": query, "student_progress": map[string]any{
		"student_id": student, "exercise_id": "ex_loops-1",
		"timestamp": time.Now().UTC().Format(time.RFC3339), "agent_source": "debug",
	}}
	return call("POST", "/api/v1/triage", merge(asStudent(), headers), question)
}

func call(method, path string, headers map[string]string, body any) (reply, error) {
	began := time.Now()
	response, err := send(method, triagePort, path, headers, body)
	if err != nil {
		return reply{took: time.Since(began)}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	answer := reply{status: response.StatusCode, header: response.Header, took: time.Since(began)}
	json.Unmarshal(text, &answer.body)
	return answer, err
}

func send(method string, port int, path string, headers map[string]string, body any) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, "http://"+loopback(port)+path, payload)
	if err != nil {
		return nil, err
	}
	request.Header.Set("content-type", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	return client.Do(request)
}

// exchange is send for answers that must be well.
func exchange(method string, port int, path string, headers map[string]string, body any) ([]byte, error) {
	response, err := send(method, port, path, headers, body)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	return text, err
}

// ready waits until Triage says that configuration, store and sidecar are.
func ready() error {
	var last error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if _, last = exchange("GET", triagePort, "/ready", nil, nil); last == nil {
			return nil
		}
	}
	return last
}

func merge(maps ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range maps {
		for name, value := range m {
			all[name] = value
		}
	}
	return all
}

func unique() string {
	raw := make([]byte, 16)
	rand.Read(raw)
	return fmt.Sprintf("%x", raw)
}
