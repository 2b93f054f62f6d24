package docker_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/docker"
	"github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	builtinnet "github.com/infrarun/infrarun/builtins/net"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// fixture is an engine, and recipes that may reach all in it but what lets containers out.
type fixture struct {
	*familytest.Fixture
	*enginetest.Engine
	t *testing.T
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	e := enginetest.Start(t)
	return &fixture{recipes(t), e, t}
}

// recipes is a fixture for the engine to which DOCKER_HOST leads.
func recipes(t testing.TB) *familytest.Fixture {
	t.Helper()
	f := familytest.New(t, docker.Family(), fs.Family(), builtinnet.Family())
	f.Grant("docker", "image:*", "image:127.0.0.1:*/**", "container:*", "network:*", "volume:*", "prune")
	return f.Grant("net", "127.0.0.1:*")
}

// write writes a file below DIR.
func (f *fixture) write(name, text string) string {
	f.t.Helper()
	file := filepath.Join(f.Dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		f.t.Fatal(err)
	}
	return file
}

// answer asks a container by its port, until it answers.
func (f *fixture) answer(port int) string {
	f.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
		if err == nil {
			text, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err == nil && len(text) > 0 {
				return strings.TrimSpace(string(text))
			}
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("nobody answers on port %d: %v", port, err)
		}
	}
}

// same stops the test unless the engine has what it had.
func (f *fixture) same(what, before string) {
	f.t.Helper()
	familytest.SameTree(f.t, what, f.Engine.State()+"\n", before+"\n")
}

// listen takes a port until the test ends.
func listen(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// output is what the work of a run has printed.
func output(r *familytest.Result) string {
	var text strings.Builder
	for _, e := range r.Events(events.Output) {
		text.WriteString(e.Text + "\n")
	}
	return text.String()
}

// forgetRuns removes the journals of all runs, as happens to old ones.
func forgetRuns(t *testing.T, f *fixture) {
	t.Helper()
	runs, err := f.Fixture.State.Runs()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if err := os.Remove(filepath.Join(f.Fixture.State.RunDir(r.Run.ID), "journal")); err != nil {
			t.Fatal(err)
		}
	}
}
