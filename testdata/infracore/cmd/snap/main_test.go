package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"infracore/pkg/apptest"
	"infracore/pkg/health"
)

func TestMain(m *testing.M) { apptest.Main(m, main) }

func TestProcess(t *testing.T) {
	apptest.Process(t, "snap", syscall.SIGTERM, func(base string) {
		report, err := health.Ask(t.Context(), http.DefaultClient, base)
		if err != nil || report.Service != "snap" {
			t.Errorf("got %+v, %v; want the health of snap", report, err)
		}
	})
}

// start runs the service on a source with one file, and returns the address of its snapshots and their directory.
func start(t *testing.T, keep int) (url, dir string) {
	cfg := apptest.Config(t)
	cfg.Snap.Source, cfg.Snap.Keep = t.TempDir(), keep
	if err := os.WriteFile(filepath.Join(cfg.Snap.Source, "testing.yaml"), []byte("a: b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "http://" + apptest.Start(t, "snap", cfg, build)[0] + "/snapshots", filepath.Join(cfg.DataDir, "snapshots")
}

// request returns the answer, whose body is closed when the test ends.
func request(t *testing.T, method, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func decode(t *testing.T, resp *http.Response, v any) {
	t.Helper()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		t.Fatal(err)
	}
}

func TestSnapshotHasTheFiles(t *testing.T) {
	url, _ := start(t, 5)
	var made snapshot
	decode(t, request(t, http.MethodPost, url), &made)
	gz, err := gzip.NewReader(request(t, http.MethodGet, url+"/"+made.Name).Body)
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(gz)
	for {
		h, err := tr.Next()
		if err != nil {
			t.Fatalf("testing.yaml is not in the snapshot: %v", err)
		}
		if h.Name == "testing.yaml" {
			break
		}
	}
	if content, err := io.ReadAll(tr); err != nil || string(content) != "a: b\n" {
		t.Errorf("got %q, %v", content, err)
	}
}

func TestOnlyTheNewestAreKept(t *testing.T) {
	url, dir := start(t, 2)
	var made [3]snapshot
	for i := range made {
		decode(t, request(t, http.MethodPost, url), &made[i])
	}
	if err := os.WriteFile(filepath.Join(dir, made[0].Name+".partial"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var all []snapshot
	decode(t, request(t, http.MethodGet, url), &all)
	if len(all) != 2 || all[0] != made[2] || all[1] != made[1] {
		t.Errorf("got %+v, want the last two of %+v, the newest first", all, made)
	}
}

func TestOnlySnapshotsCanBeRead(t *testing.T) {
	url, dir := start(t, 2)
	if err := os.WriteFile(filepath.Join(dir, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"other", "..%2f..%2fetc%2fpasswd", prefix + stamp + suffix, "snapshot-" + suffix} {
		if resp := request(t, http.MethodGet, url+"/"+name); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s, want 404", name, resp.Status)
		}
	}
}
