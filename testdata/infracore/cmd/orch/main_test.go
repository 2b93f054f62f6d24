package main

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"infracore/pkg/apptest"
	"infracore/pkg/health"
)

func TestMain(m *testing.M) { apptest.Main(m, main) }

func TestProcess(t *testing.T) {
	apptest.Process(t, "orch", syscall.SIGTERM, func(base string) {
		report, err := health.Ask(t.Context(), http.DefaultClient, base)
		if err != nil || report.Service != "orch" {
			t.Errorf("got %+v, %v; want the health of orch", report, err)
		}
	})
}

func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(answer))
}

func TestWorkloads(t *testing.T) {
	cfg := apptest.Config(t)
	t.Run("first process", func(t *testing.T) {
		base := "http://" + apptest.Start(t, "orch", cfg, build)[0] + "/workloads"
		steps := []struct {
			method, path, body string
			code               int
		}{
			{"PUT", "/web", `{"image":"web:1","replicas":2}`, 200},
			{"PUT", "/db", `{"image":"db:1","replicas":1}`, 200},
			{"PUT", "/web", `{"image":"web:2","replicas":3}`, 200},
			{"PUT", "/Web", `{"image":"web:2","replicas":3}`, 400},
			{"PUT", "/web", `{"image":"","replicas":3}`, 400},
			{"PUT", "/web", `{"image":"web:3","replicas":101}`, 400},
			{"PUT", "/web", `{"image":"web:3","copies":1}`, 400},
			{"DELETE", "/db", "", 200},
		}
		for _, s := range steps {
			if code, answer := call(t, s.method, base+s.path, s.body); code != s.code {
				t.Errorf("%s %s %s: %d %s, want %d", s.method, s.path, s.body, code, answer, s.code)
			}
		}
	})
	t.Run("second process", func(t *testing.T) {
		base := "http://" + apptest.Start(t, "orch", cfg, build)[0]
		const want = `{"web":{"image":"web:2","replicas":3}}`
		if _, got := call(t, "GET", base+"/workloads", ""); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestChangeThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	st, err := openStore(filepath.Join(dir, "workloads.json"))
	if err != nil {
		t.Fatal(err)
	}
	srv, _ := apptest.Serve(t, newAPI(slog.New(slog.DiscardHandler), st))
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if code, answer := call(t, "PUT", srv.URL+"/workloads/web", `{"image":"web:1"}`); code != 500 || strings.Contains(answer, dir) {
		t.Errorf("got %d %s, want 500 without the path", code, answer)
	}
	if _, got := call(t, "GET", srv.URL+"/workloads", ""); got != "{}" {
		t.Errorf("a change that was not written shows: %s", got)
	}
	if code, _ := call(t, "GET", srv.URL+"/health", ""); code != http.StatusServiceUnavailable {
		t.Errorf("health is %d without the data directory, want 503", code)
	}
}

func TestDamagedFileStopsTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "workloads.json")
	if err := os.WriteFile(path, []byte(`{"web":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one that names %s", err, path)
	}
}
