package httpserver

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var quiet = slog.New(slog.DiscardHandler)

// A stop waits for the request that is under way, and takes no new one.
func TestRunDrains(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	srv, err := Listen(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		_, _ = io.WriteString(w, "whole")
	}), quiet, Endpoint{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx, func() {}) }()

	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + srv.Addrs()[0])
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-arrived
	stop()
	// The listener is closed first; that is what shows that the stop has begun.
	for {
		conn, err := net.Dial("tcp", srv.Addrs()[0])
		if err != nil {
			break
		}
		conn.Close()
	}
	close(release)
	if got := <-answer; got != "whole" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestListenOpensAllOrNothing(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	var log bytes.Buffer
	_, err = Listen(http.NotFoundHandler(), slog.New(slog.NewTextHandler(&log, nil)),
		Endpoint{Addr: "127.0.0.1:0"}, Endpoint{Addr: busy.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), busy.Addr().String()) {
		t.Fatalf("error %v, want one that names %s", err, busy.Addr())
	}
	_, after, _ := strings.Cut(log.String(), "url=http://")
	first, _, _ := strings.Cut(after, "\n")
	if conn, err := net.Dial("tcp", first); err == nil {
		conn.Close()
		t.Errorf("%s is still open", first)
	}
}

func TestDecode(t *testing.T) {
	for body, want := range map[string]int{
		`{"text":"a"}`: http.StatusOK,
		`{"txt":"a"}`:  http.StatusBadRequest,
		`{"text":`:     http.StatusBadRequest,
		`{"text":"` + strings.Repeat("a", maxBody) + `"}`: http.StatusBadRequest,
	} {
		rec := httptest.NewRecorder()
		var v struct{ Text string }
		Decode(rec, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &v)
		if rec.Code != want {
			t.Errorf("%.20s: status %d, want %d", body, rec.Code, want)
		}
	}
}

func TestRequestsAreLoggedWithoutQuery(t *testing.T) {
	var log bytes.Buffer
	h := logRequests(slog.New(slog.NewTextHandler(&log, nil)), http.NotFoundHandler())
	for _, url := range []string{"/health", "/api/v1/health", "/notes?token=hidden"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, url, nil))
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "path=/notes ") || strings.Contains(got, "hidden") {
		t.Errorf("want one line, about /notes and without its query:\n%s", got)
	}
}
