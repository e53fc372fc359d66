// Package tinyfaas is what a function can ask of the box: calling another function.
//
// The runtime's image has it where Go's own packages are: import "tinyfaas" needs no go.mod and no network.
package tinyfaas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	maxConnections = 16
	// The gateway keeps connections for longer, so that none is used while it is being closed.
	maxIdle = 10 * time.Second
	// Where nobody says until when he waits.
	defaultTime = time.Minute
	// The gateway knows better what took so long, and answers at the deadline: it is given the time to.
	grace       = time.Second
	maxHead     = 16 << 10
	problemType = "urn:tinyfaas:problem:"
	deadline    = "X-Tinyfaas-Deadline"
)

// Of a request's headers, what the calls that are made for it say again: until when somebody waits, how many functions led
// here, the trace.
var passedOn = []string{deadline, "X-Tinyfaas-Depth", "Traceparent", "Tracestate"}

var ofTheConnection = []string{"Connection", "Content-Length", "Expect", "Host", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

var callPath = regexp.MustCompile(`^/calls/([^/?]+)$`)

// Request is what a function is called with; the zero value is a POST of nothing.
type Request struct {
	Method string // POST if it is empty
	Path   string // what follows the function's name, percent-encoded, with its query: /on?loud=1
	Header http.Header
	Body   []byte

	// The call is on disk when it is accepted (202), and runs once at least.
	Durable        bool
	Delay          time.Duration // of a durable call
	IdempotencyKey string        // of a durable call: another one with the same key is the same call
}

// Answer is what the function has answered, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Call   string // the ID of a durable call that has been accepted
}

// JSON reads the body into what value points to.
func (a *Answer) JSON(value any) error { return json.Unmarshal(a.Body, value) }

// CallError says why there is no answer of the function.
type CallError struct {
	Message string
	Status  int    // of the gateway's problem; 0 where it said nothing
	Type    string // of the gateway's problem, as in unknown-function
}

func (e *CallError) Error() string { return e.Message }

type servedKey struct{}

// Serving is the context of the request that came with these headers, for functions that get no *http.Request; those have it as
// r.Context().
func Serving(headers map[string]string) context.Context {
	header := make(http.Header, len(passedOn))
	for _, name := range passedOn {
		if value, ok := headers[name]; ok {
			header.Set(name, value)
		}
	}
	return WithRequest(context.Background(), header)
}

// WithRequest is for the runtime: calls in this context are made for the request with these headers.
func WithRequest(parent context.Context, header http.Header) context.Context {
	return context.WithValue(parent, servedKey{}, header)
}

var gateway = newCaller(os.Getenv("TINYFAAS_CALLS_SOCKET"), os.Getenv("TINYFAAS_MAX_BODY"))

// Call calls a function and waits for its answer, as long as ctx and the request that is being served allow. The error is a
// *CallError, or says what is wrong with the request.
func Call(ctx context.Context, function string, request Request) (*Answer, error) {
	return gateway.call(ctx, function, request)
}

type caller struct {
	socket  string
	maxBody int64
	client  http.Client
}

func newCaller(socket, maxBody string) *caller {
	c := &caller{socket: socket, maxBody: 1 << 20}
	if limit, err := strconv.ParseInt(maxBody, 10, 64); err == nil {
		c.maxBody = limit
	}
	c.client.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
		MaxConnsPerHost:        maxConnections,
		MaxIdleConnsPerHost:    maxConnections,
		IdleConnTimeout:        maxIdle,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHead,
	}
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

func (c *caller) call(ctx context.Context, function string, request Request) (*Answer, error) {
	if c.socket == "" {
		return nil, &CallError{Message: fmt.Sprintf("This function may call no others. Name those that it calls in its specification: \"calls\": [%q].", function)}
	}
	sent, end, err := c.request(ctx, function, request)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	received, err := c.client.Do(sent.WithContext(ctx))
	if err != nil {
		return nil, notAnswered(ctx, function, err)
	}
	defer received.Body.Close()
	if received.ContentLength > c.maxBody && sent.Method != http.MethodHead {
		return nil, c.tooLarge(function)
	}
	body, err := io.ReadAll(io.LimitReader(received.Body, c.maxBody+1))
	switch {
	case int64(len(body)) > c.maxBody:
		return nil, c.tooLarge(function)
	case ctx.Err() != nil && err != nil:
		return nil, notAnswered(ctx, function, err)
	case err != nil:
		return nil, &CallError{Message: fmt.Sprintf("The answer of %s was cut short: %v.", function, err)}
	}
	return answered(function, received, body)
}

func (c *caller) tooLarge(function string) error {
	return &CallError{Message: fmt.Sprintf("The answer of %s is larger than %d bytes.", function, c.maxBody)}
}

// Until when the answer is waited for, and the request.
func (c *caller) request(ctx context.Context, function string, request Request) (*http.Request, time.Time, error) {
	served, _ := ctx.Value(servedKey{}).(http.Header)
	now := time.Now()
	end := now.Add(defaultTime)
	if millis, err := strconv.ParseInt(served.Get(deadline), 10, 64); err == nil {
		end = time.UnixMilli(millis)
	}
	own, isOwn := ctx.Deadline()
	isOwn = isOwn && own.Before(end)
	if isOwn {
		end = own
	}
	switch {
	case function == "":
		return nil, end, errors.New("a call wants the name of a function")
	case request.Path != "" && !strings.HasPrefix(request.Path, "/") && !strings.HasPrefix(request.Path, "?"):
		return nil, end, fmt.Errorf("the path %q does not begin with a slash", request.Path)
	case strings.EqualFold(request.Method, http.MethodConnect):
		return nil, end, errors.New("a function cannot be called with the method CONNECT")
	case !request.Durable && (request.Delay != 0 || request.IdempotencyKey != ""):
		return nil, end, errors.New("delay and idempotency key are for durable calls: add Durable: true")
	case int64(len(request.Body)) > c.maxBody:
		return nil, end, &CallError{Message: fmt.Sprintf("%s is not called: the body has %d bytes, and may have %d.", function, len(request.Body), c.maxBody)}
	case !end.After(now):
		return nil, end, &CallError{Message: function + " is not called: nobody waits for this invocation any more, its time is over."}
	}
	if request.Method == "" {
		request.Method = http.MethodPost
	}
	sent, err := http.NewRequest(request.Method, "http://box/functions/"+url.PathEscape(function)+request.Path, nil)
	if err != nil {
		return nil, end, err
	}
	sent.Header = header(request, served)
	if isOwn {
		sent.Header.Set(deadline, strconv.FormatInt(end.UnixMilli(), 10))
	}
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(request.Body)), nil }
	sent.Body, _ = body()
	sent.ContentLength = int64(len(request.Body))
	// The client sends again what did not go out on a connection that was kept; but some also when it may have come to the
	// gateway, unless it has no way to begin the body anew.
	if request.Durable && request.IdempotencyKey != "" || !passesForRepeatable(sent) {
		sent.GetBody = body
		if len(request.Body) == 0 {
			sent.Body = http.NoBody // else it would go out as chunks of nothing
		}
	}
	return sent, end.Add(grace), nil
}

// What net/http repeats, as it takes it for safe: for a function no method is.
func passesForRepeatable(request *http.Request) bool {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return request.Header.Get("Idempotency-Key") != "" || request.Header.Get("X-Idempotency-Key") != ""
}

// A function may have a trace of its own; deadline and depth are the gateway's to say.
func header(request Request, served http.Header) http.Header {
	header := request.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	for _, name := range ofTheConnection {
		header.Del(name)
	}
	for _, name := range passedOn {
		if value := served.Get(name); value != "" && (header.Get(name) == "" || !strings.HasPrefix(name, "Trace")) {
			header.Set(name, value)
		}
	}
	if request.Durable {
		header.Set("Prefer", "respond-async")
	}
	if request.Delay > 0 {
		header.Set("X-Tinyfaas-Delay", strconv.FormatInt(request.Delay.Milliseconds(), 10)+"ms")
	}
	if request.IdempotencyKey != "" {
		header.Set("Idempotency-Key", request.IdempotencyKey)
	}
	if header.Get("User-Agent") == "" {
		header["User-Agent"] = nil // else the client's own
	}
	return header
}

func notAnswered(ctx context.Context, function string, err error) error {
	var dial *net.OpError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &CallError{Message: function + " has not answered in time."}
	case ctx.Err() != nil:
		return &CallError{Message: "The call of " + function + " was given up: nobody waits for this invocation any more."}
	case errors.As(err, &dial) && dial.Op == "dial":
		return &CallError{Message: fmt.Sprintf("%s is not called: the gateway cannot be reached (%v). It may be starting anew.", function, dial)}
	}
	return &CallError{Message: fmt.Sprintf("The gateway has closed the connection before %s answered, which may have run (%v).", function, err)}
}

// A status of the called function is an answer, a problem of the gateway is none.
func answered(function string, received *http.Response, body []byte) (*Answer, error) {
	answer := &Answer{Status: received.StatusCode, Header: received.Header, Body: body}
	if call := callPath.FindStringSubmatch(received.Header.Get("Location")); call != nil && answer.Status == http.StatusAccepted {
		answer.Call = call[1]
	}
	if answer.Status < 400 || !strings.HasPrefix(received.Header.Get("Content-Type"), "application/problem+json") {
		return answer, nil
	}
	var problem struct{ Type, Title, Detail string }
	if json.Unmarshal(body, &problem) != nil || !strings.HasPrefix(problem.Type, problemType) {
		return answer, nil
	}
	return nil, &CallError{
		Message: fmt.Sprintf("%s is not called (%d): %s. %s", function, answer.Status, problem.Title, problem.Detail),
		Status:  answer.Status,
		Type:    strings.TrimPrefix(problem.Type, problemType),
	}
}
