package tinyfaas

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type came struct {
	method, target string
	header         http.Header
	body           string
}

// The gateway's side of a function's calls: each connection is one of converse's, which has the number of those before it.
func listen(t *testing.T, maxBody string, converse func(connection net.Conn, number int)) (*caller, *atomic.Int32, func()) {
	socket := filepath.Join(t.TempDir(), "http.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	var lock sync.Mutex
	var open []net.Conn
	closeAll := func() {
		lock.Lock()
		defer lock.Unlock()
		for _, one := range open {
			one.Close()
		}
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			lock.Lock()
			open = append(open, connection)
			lock.Unlock()
			number := connections.Add(1) - 1
			go func() {
				defer connection.Close()
				converse(connection, int(number))
			}()
		}
	}()
	t.Cleanup(func() { listener.Close(); closeAll() })
	return newCaller(socket, maxBody), &connections, closeAll
}

// Answers each request with what answer says of it.
func talk(answer func(came) string) func(net.Conn, int) {
	return func(connection net.Conn, _ int) {
		reader := bufio.NewReader(connection)
		for {
			request, err := http.ReadRequest(reader)
			if err != nil {
				return
			}
			body, _ := io.ReadAll(request.Body)
			request.Header.Set("Content-Length", strconv.FormatInt(request.ContentLength, 10)) // -1 if there were chunks
			if _, err := io.WriteString(connection, answer(came{request.Method, request.RequestURI, request.Header, string(body)})); err != nil {
				return
			}
		}
	}
}

func said(status int, header, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d \r\n%sContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
}

func mirror(request came) string {
	text, _ := json.Marshal(request.header)
	return said(200, "", string(text))
}

func mustFail(t *testing.T, err error, why string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%v does not say %q", err, why)
	}
}

func TestShouldCallAFunctionAndReturnWhatItAnswers(t *testing.T) {
	requests := make(chan came, 1)
	gate, _, _ := listen(t, "", talk(func(request came) string {
		requests <- request
		return said(418, "X-Tea: green\r\n", "short and stout")
	}))
	answer, err := gate.call(context.Background(), "alarm", Request{Method: "PUT", Path: "/on%20?loud=1", Header: http.Header{"X-Why": {"test"}}, Body: []byte{0, 255, 13}})
	if err != nil || answer.Status != 418 || answer.Header.Get("x-tea") != "green" || string(answer.Body) != "short and stout" || answer.Call != "" {
		t.Fatalf("%v %v", answer, err)
	}
	request := <-requests
	if request.method != "PUT" || request.target != "/functions/alarm/on%20?loud=1" || request.header.Get("X-Why") != "test" || request.body != "\x00\xff\r" {
		t.Errorf("%v", request)
	}
}

func TestShouldHaveADurableCallAccepted(t *testing.T) {
	requests := make(chan came, 1)
	gate, _, _ := listen(t, "", talk(func(request came) string {
		requests <- request
		return said(202, "Location: /calls/17ab\r\n", "")
	}))
	answer, err := gate.call(context.Background(), "alarm", Request{Durable: true, Delay: 10 * time.Second, IdempotencyKey: "k"})
	if err != nil || answer.Call != "17ab" {
		t.Fatalf("%v %v", answer, err)
	}
	header := (<-requests).header
	if header.Get("Prefer") != "respond-async" || header.Get("X-tinyFaaS-Delay") != "10000ms" || header.Get("Idempotency-Key") != "k" {
		t.Errorf("%v", header)
	}
}

func TestShouldPassOnWhatEachCallIsMadeFor(t *testing.T) {
	gate, _, _ := listen(t, "", talk(mirror))
	deadline := time.Now().Add(time.Hour).UnixMilli()
	var all sync.WaitGroup
	for i := range 8 {
		served := map[string]string{
			"X-Tinyfaas-Deadline": strconv.FormatInt(deadline+int64(i), 10), "X-Tinyfaas-Depth": strconv.Itoa(i),
			"Traceparent": fmt.Sprint("00-", i), "Tracestate": fmt.Sprint("a=", i), "X-Tinyfaas-Device": "lamp",
		}
		all.Add(1)
		go func() {
			defer all.Done()
			answer, err := gate.call(Serving(served), "alarm", Request{})
			var header http.Header
			if err != nil || answer.JSON(&header) != nil || header.Get("X-Tinyfaas-Device") != "" {
				t.Errorf("%v %v", answer, err)
				return
			}
			for _, name := range passedOn {
				if header.Get(name) != served[name] {
					t.Errorf("%s: %s", name, header.Get(name))
				}
			}
		}()
	}
	all.Wait()
}

func TestShouldTakeATraceOfTheFunctionsOwnButNoDepth(t *testing.T) {
	gate, _, _ := listen(t, "", talk(mirror))
	served := WithRequest(context.Background(), http.Header{"X-Tinyfaas-Depth": {"3"}, "Traceparent": {"00-theirs"}})
	own := http.Header{"X-Tinyfaas-Depth": {"0"}, "Traceparent": {"00-own"}, "Connection": {"close"}, "Content-Length": {"7"}}
	answer, err := gate.call(served, "alarm", Request{Header: own})
	var header http.Header
	if err != nil || answer.JSON(&header) != nil {
		t.Fatal(err)
	}
	if header.Get("Traceparent") != "00-own" || header.Get("X-Tinyfaas-Depth") != "3" || header.Get("Connection") != "" || header.Get("Content-Length") != "0" {
		t.Errorf("%v", header)
	}
	if own.Get("X-Tinyfaas-Depth") != "0" {
		t.Error("the function's own header was changed")
	}
}

func TestShouldSayWhatTheGatewaySaysAgainstACall(t *testing.T) {
	for status, kind := range map[int]string{403: "not-in-calls", 404: "unknown-function", 508: "too-deep", 504: "timeout"} {
		gate, _, _ := listen(t, "", talk(func(came) string {
			return said(status, "Content-Type: application/problem+json\r\n", fmt.Sprintf(`{"type":"urn:tinyfaas:problem:%s","title":"No","detail":"Because of %s."}`, kind, kind))
		}))
		_, err := gate.call(context.Background(), "alarm", Request{})
		var failure *CallError
		if !errors.As(err, &failure) || failure.Status != status || failure.Type != kind || failure.Message != fmt.Sprintf("alarm is not called (%d): No. Because of %s.", status, kind) {
			t.Errorf("%v", err)
		}
	}
}

func TestShouldTakeAProblemOfTheCalledFunctionForItsAnswer(t *testing.T) {
	for _, body := range []string{`{"type": "urn:of:its:own"}`, "no JSON", "[]", ""} {
		gate, _, _ := listen(t, "", talk(func(came) string { return said(400, "Content-Type: application/problem+json\r\n", body) }))
		answer, err := gate.call(context.Background(), "alarm", Request{})
		if err != nil || string(answer.Body) != body {
			t.Errorf("%v %v", answer, err)
		}
	}
}

func TestShouldSayThatNoCallIsPossible(t *testing.T) {
	_, err := newCaller("", "").call(context.Background(), "alarm", Request{})
	mustFail(t, err, `in its specification: "calls": ["alarm"]`)
	_, err = newCaller(filepath.Join(t.TempDir(), "nowhere.sock"), "").call(context.Background(), "alarm", Request{})
	mustFail(t, err, "alarm is not called: the gateway cannot be reached")
}

func TestShouldRefuseWhatIsNoCallBeforeAnythingIsSent(t *testing.T) {
	gate, connections, _ := listen(t, "100", talk(mirror))
	for _, one := range []struct {
		function string
		request  Request
		why      string
	}{
		{"", Request{}, "the name of a function"},
		{"a", Request{Path: "x"}, "slash"},
		{"a", Request{Path: "/%zz"}, "invalid URL escape"},
		{"a", Request{Path: "/\r\nX: y"}, "invalid control character"},
		{"a", Request{Method: "CONNECT"}, "CONNECT"},
		{"a", Request{Method: "A B"}, "invalid method"},
		{"a", Request{Delay: time.Second}, "Durable: true"},
		{"a", Request{IdempotencyKey: "k"}, "Durable: true"},
		{"a", Request{Header: http.Header{"X-A": {"a\r\nb: c"}}}, "X-A"},
		{"a", Request{Body: make([]byte, 101)}, "the body has 101 bytes, and may have 100"},
	} {
		_, err := gate.call(context.Background(), one.function, one.request)
		mustFail(t, err, one.why)
	}
	_, err := gate.call(Serving(map[string]string{"X-Tinyfaas-Deadline": "1"}), "a", Request{})
	mustFail(t, err, "its time is over")
	if connections.Load() != 0 {
		t.Error("something was sent")
	}
}

func TestShouldWriteTheNameSoThatItStaysOne(t *testing.T) {
	requests := make(chan came, 1)
	gate, _, _ := listen(t, "", talk(func(request came) string {
		requests <- request
		return said(200, "", "")
	}))
	if _, err := gate.call(context.Background(), "a/../b ü?", Request{}); err != nil {
		t.Fatal(err)
	}
	if target := (<-requests).target; target != "/functions/a%2F..%2Fb%20%C3%BC%3F" {
		t.Error(target)
	}
}

func TestShouldEndAtTheDeadlineAndWhenItsContextDoes(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	gate, _, _ := listen(t, "", func(net.Conn, int) { <-never })
	soon := strconv.FormatInt(time.Now().Add(200*time.Millisecond).UnixMilli(), 10)
	_, err := gate.call(Serving(map[string]string{"X-Tinyfaas-Deadline": soon}), "alarm", Request{})
	mustFail(t, err, "alarm has not answered in time.")
	own, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = gate.call(own, "alarm", Request{})
	mustFail(t, err, "alarm has not answered in time.")
	given, giveUp := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, giveUp)
	_, err = gate.call(given, "alarm", Request{})
	mustFail(t, err, "was given up")
}

func TestShouldTellTheCalledFunctionOfItsOwnDeadline(t *testing.T) {
	gate, _, _ := listen(t, "", talk(mirror))
	own, cancel := context.WithTimeout(Serving(map[string]string{"X-Tinyfaas-Deadline": "9999999999999"}), 10*time.Minute)
	defer cancel()
	answer, err := gate.call(own, "alarm", Request{})
	var header http.Header
	if err != nil || answer.JSON(&header) != nil {
		t.Fatal(err)
	}
	end, _ := own.Deadline()
	if header.Get(deadline) != strconv.FormatInt(end.UnixMilli(), 10) {
		t.Errorf("%v", header)
	}
}

func TestShouldTellAnAnswerThatIsCutShortTooLargeOrNone(t *testing.T) {
	for text, why := range map[string]string{
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf":                                                  "The answer of alarm was cut short",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n":                                "The answer of alarm was cut short",
		"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n":                                                    "larger than 100 bytes",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + strings.Repeat("x", 101) + "\r\n0\r\n": "larger than 100 bytes",
		"":                   "closed the connection before alarm answered, which may have run",
		"Hello\r\n\r\n":      "closed the connection before alarm answered",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 40_000) + "\r\n\r\n": "closed the connection before alarm answered",
	} {
		gate, _, _ := listen(t, "100", func(connection net.Conn, _ int) {
			_, _ = http.ReadRequest(bufio.NewReader(connection))
			_, _ = io.WriteString(connection, text)
		})
		_, err := gate.call(context.Background(), "alarm", Request{})
		mustFail(t, err, why)
		var failure *CallError
		if !errors.As(err, &failure) {
			t.Errorf("%T", err)
		}
	}
}

func TestShouldUseAtMost16ConnectionsAgainAndAgain(t *testing.T) {
	opened, requests := make(chan struct{}), make(chan struct{}, 50)
	gate, connections, _ := listen(t, "", talk(func(came) string {
		requests <- struct{}{}
		<-opened
		return said(200, "", "done")
	}))
	var all sync.WaitGroup
	for range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			if answer, err := gate.call(context.Background(), "a", Request{}); err != nil || string(answer.Body) != "done" {
				t.Errorf("%v %v", answer, err)
			}
		}()
	}
	for range 16 {
		<-requests
	}
	close(opened)
	all.Wait()
	if connections.Load() != 16 {
		t.Errorf("%d connections", connections.Load())
	}
}

func TestShouldRepeatOnAnotherConnectionOnlyWhatNobodyCanHaveRun(t *testing.T) {
	for _, one := range []struct {
		request  Request
		repeated bool
	}{
		{Request{Durable: true, IdempotencyKey: "k", Body: []byte("x")}, true},
		{Request{Durable: true}, false}, {Request{Body: []byte("x")}, false}, {Request{Method: "GET"}, false}, {Request{Header: http.Header{"Idempotency-Key": {"k"}}}, false},
	} {
		gate, connections, _ := listen(t, "", func(connection net.Conn, number int) {
			reader := bufio.NewReader(connection)
			for i := range 2 {
				request, err := http.ReadRequest(reader)
				if err != nil || number == 0 && i == 1 {
					return
				}
				_, _ = io.Copy(io.Discard, request.Body)
				_, _ = io.WriteString(connection, said(200, "", "ok"))
			}
		})
		if _, err := gate.call(context.Background(), "a", Request{}); err != nil {
			t.Fatal(err)
		}
		answer, err := gate.call(context.Background(), "a", one.request)
		if one.repeated != (err == nil) || one.repeated != (connections.Load() == 2) {
			t.Errorf("%v: %v %v, %d connections", one.request, answer, err, connections.Load())
		}
		if err != nil {
			mustFail(t, err, "before a answered, which may have run")
		}
	}
}

func TestShouldGoOnWhenTheGatewayHasClosedTheConnectionsThatWereKept(t *testing.T) {
	gate, connections, closeAll := listen(t, "", talk(func(came) string { return said(200, "", "ok") }))
	for range 20 {
		if answer, err := gate.call(context.Background(), "a", Request{Body: []byte("x")}); err != nil || string(answer.Body) != "ok" {
			t.Fatalf("%v %v", answer, err)
		}
		closeAll()
	}
	if connections.Load() != 20 {
		t.Errorf("%d connections", connections.Load())
	}
}

func TestShouldGiveBytesBackAsTheyWere(t *testing.T) {
	gate, _, _ := listen(t, "", talk(func(request came) string { return said(200, "", request.body) }))
	body := make([]byte, 500_000)
	for i := range body {
		body[i] = byte(i * 7)
	}
	answer, err := gate.call(context.Background(), "echo", Request{Body: body})
	if err != nil || !bytes.Equal(answer.Body, body) {
		t.Error(err)
	}
}
