// Serves the function fn of this package as contract/handler-http.md says.
//
// It is compiled in the function's own package, which only so can hand over a lower-case fn, and beside whatever the
// function declares: every name begins with tinyfaas, and only the standard library is used.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// What fn may be. The compiler refuses others and names these.
type tinyfaasFunction interface {
	func(string, map[string]string) (string, error) |
		func([]byte, map[string]string) ([]byte, error) |
		func(http.ResponseWriter, *http.Request)
}

// What the head of a request may have, the empty line at its end included. The server reads up to 4 KiB more before it gives up.
const (
	tinyfaasMaxHead   = 16 << 10
	tinyfaasMaxFields = 100
)

// Runs the function with a request whose body has been read.
type tinyfaasCall func(answer *tinyfaasAnswer, request *http.Request, body []byte)

// The request as a function gets it that calls others; the same for those that do not.
var tinyfaasServed = func(sent *http.Request) *http.Request { return sent }

func main() {
	tinyfaasLimitMemory()
	maxBody := int64(1 << 20)
	if value := os.Getenv("TINYFAAS_MAX_BODY"); value != "" {
		var err error
		if maxBody, err = strconv.ParseInt(value, 10, 64); err != nil || maxBody < 0 {
			tinyfaasExit("TINYFAAS_MAX_BODY is no number of bytes: " + value)
		}
	}
	listener, err := tinyfaasListen(os.Getenv("TINYFAAS_SOCKET"))
	if err != nil {
		tinyfaasExit("The handler cannot listen: " + err.Error())
	}
	// No timeouts: nobody but the gateway reaches a handler, and it keeps its connections.
	server := &http.Server{Handler: &tinyfaasHandler{tinyfaasCallOf(fn), maxBody}, MaxHeaderBytes: tinyfaasMaxHead}
	terminated, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	finished := make(chan struct{})
	go func() {
		<-terminated.Done()
		_ = server.Shutdown(context.Background())
		close(finished)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		tinyfaasExit("The handler has ended: " + err.Error())
	}
	<-finished
}

func tinyfaasExit(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}

// Go collects garbage when the heap has doubled, whatever the container's limit; near to it, earlier.
func tinyfaasLimitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := os.ReadFile(file); err == nil {
			if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				debug.SetMemoryLimit(limit / 10 * 9)
				return
			}
		}
	}
}

func tinyfaasListen(socket string) (net.Listener, error) {
	if socket == "" {
		return net.Listen("tcp", ":8000")
	}
	// Left over from an earlier life.
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err == nil {
		err = os.Chmod(socket, 0o777)
	}
	return listener, err
}

func tinyfaasCallOf[F tinyfaasFunction](function F) tinyfaasCall {
	switch call := any(function).(type) {
	case func(string, map[string]string) (string, error):
		return func(answer *tinyfaasAnswer, request *http.Request, body []byte) {
			result, err := call(string(body), tinyfaasHeaders(request))
			answer.result("text/plain; charset=utf-8", []byte(result), err)
		}
	case func([]byte, map[string]string) ([]byte, error):
		return func(answer *tinyfaasAnswer, request *http.Request, body []byte) {
			result, err := call(body, tinyfaasHeaders(request))
			answer.result("application/octet-stream", result, err)
		}
	case func(http.ResponseWriter, *http.Request):
		return func(answer *tinyfaasAnswer, request *http.Request, body []byte) {
			call(answer, tinyfaasServed(tinyfaasAsSent(request, body)))
		}
	}
	panic("unreachable")
}

// The request that the device sent, of which the handler's own is the envelope. A copy: the server goes by the method of its
// own, and would answer a HEAD without the body.
func tinyfaasAsSent(request *http.Request, body []byte) *http.Request {
	sent := *request
	if method := request.Header.Get("X-Tinyfaas-Method"); method != "" {
		sent.Method = method
	}
	path, query := request.Header.Get("X-Tinyfaas-Path"), request.Header.Get("X-Tinyfaas-Query")
	if path == "" {
		path = "/"
	}
	sent.RequestURI = path
	if query != "" {
		sent.RequestURI += "?" + query
	}
	var err error
	if sent.URL, err = url.ParseRequestURI(sent.RequestURI); err != nil {
		sent.URL = &url.URL{Path: path, RawQuery: query} // what is encoded wrongly is left as it came
	}
	sent.RemoteAddr = request.Header.Get("X-Tinyfaas-Peer")
	sent.Body = io.NopCloser(bytes.NewReader(body))
	sent.ContentLength = int64(len(body))
	sent.TransferEncoding = nil
	return &sent
}

// By names as Go writes them (User-Agent, X-Tinyfaas-Method); several values of one are joined.
func tinyfaasHeaders(request *http.Request) map[string]string {
	headers := make(map[string]string, len(request.Header))
	for name, values := range request.Header {
		headers[name] = strings.Join(values, ", ")
	}
	return headers
}

type tinyfaasHandler struct {
	call    tinyfaasCall
	maxBody int64
}

func (h *tinyfaasHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := tinyfaasAnswer{header: http.Header{}}
	switch {
	case tinyfaasIsTooLarge(r):
		w.Header().Set("Connection", "close")
		answer.text(http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("a head has at most %d fields and %d bytes", tinyfaasMaxFields, tinyfaasMaxHead))
	case r.Method == http.MethodPost && r.URL.Path == "/fn":
		h.invoke(&answer, w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/health":
		answer.text(http.StatusOK, "healthy")
	default:
		answer.text(http.StatusNotFound, "there is POST /fn and GET /health")
	}
	answer.sendTo(w)
}

// Counts the head as the gateway writes it. The server has taken Host and Transfer-Encoding from the fields.
func tinyfaasIsTooLarge(r *http.Request) bool {
	fields := 1 + len(r.TransferEncoding)
	bytes := len(r.Method) + len(r.RequestURI) + len(" "+" HTTP/1.1\r\n") + len("Host: \r\n") + len(r.Host) + len("\r\n")
	for _, coding := range r.TransferEncoding {
		bytes += len("Transfer-Encoding: \r\n") + len(coding)
	}
	for name, values := range r.Header {
		fields += len(values)
		for _, value := range values {
			bytes += len(name) + len(": \r\n") + len(value)
		}
	}
	return fields > tinyfaasMaxFields || bytes > tinyfaasMaxHead
}

func (h *tinyfaasHandler) invoke(answer *tinyfaasAnswer, w http.ResponseWriter, r *http.Request) {
	body, err := h.read(w, r)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		w.Header().Set("Connection", "close")
		answer.text(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", h.maxBody))
		return
	}
	if err != nil {
		w.Header().Set("Connection", "close")
		answer.text(http.StatusBadRequest, "the body broke off")
		return
	}
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", cause, debug.Stack())
			answer.fail(fmt.Sprint(cause))
		}
	}()
	h.call(answer, r, body)
}

func (h *tinyfaasHandler) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > h.maxBody {
		return nil, &http.MaxBytesError{Limit: h.maxBody}
	}
	if r.ContentLength >= 0 {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBody))
}

// An answer as a whole: a function that fails half-way answers nothing of what it has written.
type tinyfaasAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *tinyfaasAnswer) Header() http.Header { return a.header }

func (a *tinyfaasAnswer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

func (a *tinyfaasAnswer) Write(part []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(part)
}

func (a *tinyfaasAnswer) result(contentType string, body []byte, err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		a.fail(err.Error())
		return
	}
	a.header.Set("Content-Type", contentType)
	_, _ = a.Write(body)
}

// One short line of the message.
func (a *tinyfaasAnswer) fail(message string) {
	line := []rune(strings.Join(strings.Fields(message), " "))
	if len(line) == 0 {
		line = []rune("the function failed")
	}
	a.text(http.StatusInternalServerError, string(line[:min(len(line), 200)]))
}

func (a *tinyfaasAnswer) text(status int, line string) {
	a.status = status
	a.header = http.Header{"Content-Type": {"text/plain; charset=utf-8"}}
	a.body.Reset()
	a.body.WriteString(line)
}

func (a *tinyfaasAnswer) sendTo(w http.ResponseWriter) {
	if a.status > 599 {
		a.fail(fmt.Sprintf("the function answered the status %d, which HTTP does not have", a.status))
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade"} {
		if _, set := a.header[name]; set {
			w.Header().Del(name)
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	w.WriteHeader(max(a.status, http.StatusOK))
	_, _ = w.Write(a.body.Bytes())
}
