package engine

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/client"

	"github.com/infrarun/infrarun/runtime"
)

func TestFind(t *testing.T) {
	meta := func(text string) map[string]string {
		return map[string]string{"/home/.docker/config.json": `{"currentContext": "remote"}`, "meta": text}
	}
	for name, c := range map[string]struct {
		env   map[string]string
		files map[string]string // "meta" is the description of any context
		want  place
		err   string
	}{
		"nothing said": {want: place{address: client.DefaultDockerHost}},
		"DOCKER_HOST":  {env: map[string]string{"DOCKER_HOST": "unix:///x.sock"}, want: place{address: "unix:///x.sock"}},
		"with a certificate": {
			env:   map[string]string{"DOCKER_HOST": "tcp://h:2376", "DOCKER_CERT_PATH": "/c", "DOCKER_TLS_VERIFY": "1"},
			files: map[string]string{"/c/ca.pem": "", "/c/cert.pem": "", "/c/key.pem": ""},
			want:  place{"tcp://h:2376", true, true, "/c/ca.pem", "/c/cert.pem", "/c/key.pem"},
		},
		"verified, with the files of the docker command": {
			env:   map[string]string{"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1"},
			files: map[string]string{"/home/.docker/ca.pem": ""},
			want:  place{address: "tcp://h:2376", tls: true, verify: true, ca: "/home/.docker/ca.pem"},
		},
		"not verified": {
			env:  map[string]string{"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS": "1"},
			want: place{address: "tcp://h:2376", tls: true},
		},
		"a socket is never TLS": {
			env:  map[string]string{"DOCKER_HOST": "unix:///x.sock", "DOCKER_TLS_VERIFY": "1"},
			want: place{address: "unix:///x.sock"},
		},
		"over ssh":        {env: map[string]string{"DOCKER_HOST": "ssh://h.example"}, err: "over ssh"},
		"no address":      {env: map[string]string{"DOCKER_HOST": "nonsense"}, err: "DOCKER_HOST is \"nonsense\""},
		"current context": {files: meta(`{"Endpoints": {"docker": {"Host": "tcp://r.example:2375"}}}`), want: place{address: "tcp://r.example:2375"}},
		"context that is not verified": {
			files: meta(`{"Endpoints": {"docker": {"Host": "tcp://r.example:2376", "SkipTLSVerify": true}}}`),
			want:  place{address: "tcp://r.example:2376", tls: true},
		},
		"context with an authority of its own": {
			env: map[string]string{"DOCKER_CONTEXT": "own"},
			files: map[string]string{
				"meta": `{"Endpoints": {"docker": {"Host": "tcp://r.example:2376"}}}`,
				"/home/.docker/contexts/tls/5b3975651c3cab92d044c096dc30a1c2d9525497457472de48c51ecb363d1f4a/docker/ca.pem": "",
			},
			want: place{address: "tcp://r.example:2376", tls: true, verify: true,
				ca: "/home/.docker/contexts/tls/5b3975651c3cab92d044c096dc30a1c2d9525497457472de48c51ecb363d1f4a/docker/ca.pem"},
		},
		"default context":  {env: map[string]string{"DOCKER_CONTEXT": "default"}, files: meta(`x`), want: place{address: client.DefaultDockerHost}},
		"context over ssh": {files: meta(`{"Endpoints": {"docker": {"Host": "ssh://r.example"}}}`), err: `context "remote" is ssh://r.example`},
		"empty context":    {files: meta(`{}`), err: `context "remote" has no engine`},
		"damaged context":  {files: meta(`{`), err: `context "remote"`},
		"no such context":  {env: map[string]string{"DOCKER_CONTEXT": "none"}, err: "docker context ls"},
		"damaged config":   {files: map[string]string{"/home/.docker/config.json": `{`}, err: "/home/.docker/config.json"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := find(environ{
				getenv: func(name string) string { return c.env[name] },
				home:   func() (string, error) { return "/home", nil },
				readFile: func(path string) ([]byte, error) {
					if filepath.Base(path) == "meta.json" {
						path = "meta"
					}
					if text, ok := c.files[path]; ok {
						return []byte(text), nil
					}
					return nil, fs.ErrNotExist
				},
			})
			if got != c.want && c.err == "" || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("find = %+v, %v, want %+v, %q", got, err, c.want, c.err)
			}
		})
	}
}

func TestHoldsSocket(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real := filepath.Join(dir, "real")
	if err := errors.Join(os.Mkdir(real, 0o700), os.WriteFile(filepath.Join(real, "s.sock"), nil, 0o600), os.Symlink(real, filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_HOST", "unix://"+dir+"/link/s.sock")
	for path, want := range map[string]bool{
		"/": true, "/run": true, "/var/run/": true, "/run/docker.sock": true, "/var/run/docker.sock": true,
		dir: true, real: true, filepath.Join(dir, "link"): true, filepath.Join(real, "s.sock"): true,
		"/runner": false, "/etc": false, filepath.Join(dir, "other"): false, "/run/docker.sock.d": false,
	} {
		if got := HoldsSocket(path); got != want {
			t.Errorf("HoldsSocket(%s) = %v", path, got)
		}
	}
}

func TestKeptBy(t *testing.T) {
	tag := keepTag("20260131-120000-123.0123abcd", "sha256:"+strings.Repeat("ab", 32))
	if want := "infrarun/keep:20260131-120000-123.0123abcd.abababababab"; tag != want {
		t.Errorf("the tag is %s, want %s", tag, want)
	}
	for ref, want := range map[string]string{
		tag: "20260131-120000-123.0123abcd", "docker.io/" + tag: "20260131-120000-123.0123abcd",
		"infrarun/keep:20260131-120000-123.abababababab": "20260131-120000-123",
		"app:1": "", "other/" + tag: "", "infrarun/keep:latest": "",
	} {
		if got := KeptBy(ref); got != want {
			t.Errorf("KeptBy(%s) = %q, want %q", ref, got, want)
		}
	}
}

func TestFollow(t *testing.T) {
	for text, want := range map[string]string{
		`{"stream":"a"}{"stream":"b"}`:                                "",
		`{"stream":"a"}{"errorDetail":{"message":"bad"},"error":"x"}`: "the Docker engine said: bad",
		`{"error":"only this"}`:                                       "the Docker engine said: only this",
		`{"stream":"a"`:                                               "broke off",
		`<html>`:                                                      "broke off",
	} {
		err := Follow(context.Background(), io.NopCloser(strings.NewReader(text)), nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("Follow(%s) = %v, want %q", text, err, want)
		}
	}
	stopped, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("interrupted")
	cancel(cause)
	if err := Follow(stopped, io.NopCloser(strings.NewReader(`{`)), nil); !errors.Is(err, cause) {
		t.Errorf("interrupted, Follow = %v, want the cause", err)
	}
}

func FuzzFollow(f *testing.F) {
	f.Add(`{"status":"Pulling","id":"a","progressDetail":{"current":1,"total":2},"aux":{"ID":"x"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		_ = Follow(context.Background(), io.NopCloser(strings.NewReader(text)), func(Message) {})
	})
}

// TestWriteNeedsAWriter makes sure that what changes the engine is not to be had without a run.
func TestWriteNeedsAWriter(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a worthless writer was accepted")
		}
	}()
	_, _ = Write(context.Background(), new(runtime.Writer))
}

func TestExplain(t *testing.T) {
	err := Explain(context.Background(), errors.New("Error response from daemon: no such image: app:1\n"))
	if got, want := err.Error(), "the Docker engine said: no such image: app:1"; got != want {
		t.Errorf("Explain = %q, want %q", got, want)
	}
	if Explain(context.Background(), nil) != nil {
		t.Error("no error was explained")
	}
}
