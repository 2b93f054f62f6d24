package engine

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
)

// fakeEngine is an engine that gives the answers of a test: for what a real one does only if it is broken, or on its way down.
// Answers are by method and path, as http.ServeMux takes them, without the version of the API.
func fakeEngine(t *testing.T, answers map[string]http.HandlerFunc) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", fakeVersion) })
	for pattern, answer := range answers {
		mux.HandleFunc(pattern, answer)
	}
	server := &http.Server{Handler: http.StripPrefix("/v"+fakeVersion, mux)}
	ping := http.NewServeMux()
	ping.Handle("/v"+fakeVersion+"/", server.Handler)
	ping.Handle("/", mux)
	server.Handler = ping
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	t.Setenv("DOCKER_HOST", "unix://"+socket)
}

const fakeVersion = "1.41"

// openFake connects to the fake engine.
func openFake(t *testing.T) *Client {
	t.Helper()
	c, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// says answers with JSON.
func says(format string, args ...any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, format, args...)
	}
}

// hijacked answers with a stream of bytes both ways, which the engine then ends.
func hijacked(t *testing.T, stream []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		_, _ = conn.Write(stream)
	}
}
