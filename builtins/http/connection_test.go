package http_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestRedirects(t *testing.T) {
	f := fixture(t)
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "other %q", r.Header.Get("X-Token")) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/": "/end", "/other": other.URL, "/outside": "http://192.0.2.1/", "/loop": "/loop", "/file": "ftp://localhost/x",
		}[r.URL.Path]
		if to == "" {
			fmt.Fprintf(w, "end %q", r.Header.Get("X-Token"))
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	f.Run(with(s, `
token = {"X-Token": "t"}
test.equal(http_check(URL, headers = token).body, "end \"t\"")
test.equal(http_check(URL + "/other", headers = token).body, "other \"\"")
r = http_check(URL, follow = False, status = 302)
test.equal([r.ok, r.status], [True, 302])
test.contains(http_check(URL + "/loop").error, "more than 10 redirects")
test.contains(http_check(URL + "/file").error, "does not begin with http")
`)).Want(events.Succeeded)
	f.Run(with(s, `http_check(URL + "/outside")`)).Want(events.DeniedRun).WantError("net: 192.0.2.1:80 is not declared")
	f.Preview(with(s, `http_check(URL + "/outside")`)).Want(events.DeniedRun)
}

func TestTLS(t *testing.T) {
	f := fixture(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the certificates that were refused
	s.StartTLS()
	t.Cleanup(s.Close)
	file := filepath.Join(f.Dir, "ca.pem")
	if err := os.WriteFile(file, certificate(s), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.Dir, "no.pem"), []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.Run(with(s, `
test.contains(http_check(URL).error, "signed by an authority that is not trusted")
test.equal(http_check(URL, insecure = True).ok, True)
test.equal(http_check(URL, ca_file = DIR + "/ca.pem").ok, True)
`)).Want(events.Succeeded)
	f.Run(with(s, `http_check(URL.replace("127.0.0.1", "localhost"), ca_file = DIR + "/ca.pem", timeout = 5)`)).Want(events.Succeeded)
	for recipe, want := range map[string]string{
		`http_check(URL, ca_file = DIR + "/none.pem")`:                "ca_file: ",
		`http_check(URL, ca_file = DIR + "/no.pem")`:                  "no.pem has no certificate in it",
		`http_check(URL, ca_file = DIR + "/ca.pem", insecure = True)`: "give one of them",
	} {
		f.Run(with(s, recipe)).Want(events.Refused).WantError(want)
	}
	f.Run(with(s, `http_check(URL, ca_file = "/etc/passwd")`)).Want(events.DeniedRun).WantError("fs.read: /etc/passwd is not declared")
}

// certificate is the server's, as PEM.
func certificate(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// No connection is left open behind a call: none ever waits for a further request.
func TestNothingStaysOpen(t *testing.T) {
	var idle atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			idle.Add(1)
		}
	}
	s.Start()
	fixture(t).Run(with(s, "for i in range(5):\n    http_check(URL)")).Want(events.Succeeded)
	s.Close() // waits for the connections
	if n := idle.Load(); n != 0 {
		t.Errorf("%d connections were kept", n)
	}
}

// A proxy in the environment is not asked for an address of this machine.
func TestNoProxyForThisMachine(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	fixture(t).Run(with(answers(t), `test.equal(http_check(URL + "/health").ok, True)`)).Want(events.Succeeded)
}
