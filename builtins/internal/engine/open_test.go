package engine

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenOverTLS: an engine that cannot be spoken to is told from one that is not there.
func TestOpenOverTLS(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", fakeVersion) })
	server := httptest.NewUnstartedServer(answer)
	server.StartTLS()
	defer server.Close()
	good, other := t.TempDir(), t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(good, "ca.pem"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	address := "tcp://" + server.Listener.Addr().String()
	for name, c := range map[string]struct{ certs, verify, want string }{
		"plain":                {want: "cannot be spoken to"},
		"verified":             {certs: good, verify: "1"},
		"not verified":         {certs: good},
		"nobody knows it":      {certs: other, verify: "1", want: "there is no ca.pem to verify with"},
		"no files, unverified": {certs: other},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", address)
			t.Setenv("DOCKER_CERT_PATH", c.certs)
			t.Setenv("DOCKER_TLS_VERIFY", c.verify)
			t.Setenv("DOCKER_TLS", "")
			e, err := Open(t.Context())
			if err == nil {
				e.Close()
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want %q", err, c.want)
			}
			if errors.As(err, new(*UnavailableError)) {
				t.Errorf("%v: it is said not to be there", err)
			}
		})
	}
}

// TestOpenOfSomethingElse: what answers may be too old, or no engine at all.
func TestOpenOfSomethingElse(t *testing.T) {
	for version, want := range map[string]string{"1.41": "", "1.52": "", "1.40": `speaks version "1.40"`, "": `speaks version ""`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Api-Version", version)
		}))
		t.Setenv("DOCKER_HOST", "tcp://"+server.Listener.Addr().String())
		e, err := Open(t.Context())
		if err == nil {
			e.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("version %q: Open = %v, want %q", version, err, want)
		}
		server.Close()
	}
}

// TestFollowOfAnEngineThatGoes: an engine that is killed between two reports has not reported an end.
func TestFollowOfAnEngineThatGoes(t *testing.T) {
	fakeEngine(t, map[string]http.HandlerFunc{"POST /images/load": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"stream":"Loading"}` + "\r\n"))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}})
	c := openFake(t)
	answer, err := c.api.ImageLoad(t.Context(), strings.NewReader("image"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Follow(t.Context(), answer.Body, nil); err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("Follow = %v", err)
	}
}
