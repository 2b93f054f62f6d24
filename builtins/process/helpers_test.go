package process

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	execfamily "github.com/infrarun/infrarun/builtins/exec"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// TestMain makes of the test binary, where a recipe starts it so, a server that listens on an address until
// it is asked to end.
func TestMain(m *testing.M) {
	if address := os.Getenv("TEST_LISTEN"); address != "" {
		serve(address)
	}
	os.Exit(m.Run())
}

func serve(address string) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println("listening")
	<-ctx.Done()
	l.Close()
	os.Exit(0)
}

// fixture is a directory for services, all of which are ended after the test.
func fixture(t *testing.T) *familytest.Fixture {
	t.Helper()
	f := familytest.New(t, Family(), execfamily.Family()).Grant("exec", "sh", "sleep", "ln", "mv", os.Args[0])
	f.Grant("exec", f.Dir)
	t.Cleanup(func() { endAll(f.Dir) })
	return f
}

// endAll ends every process of a service below dir.
func endAll(dir string) {
	for {
		left := marked(dir)
		if len(left) == 0 {
			return
		}
		for _, id := range left {
			if id.Alive() {
				syscall.Kill(id.PID, syscall.SIGKILL)
			}
		}
	}
}

// marked lists the processes of services below dir.
func marked(dir string) []proc.Identity {
	var all []proc.Identity
	for s := range proc.All() {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", s.PID))
		if err == nil && strings.Contains("\x00"+string(env), "\x00"+markerName+"="+dir+"/") {
			all = append(all, s.Identity())
		}
	}
	return all
}

// write writes a file below the fixture's directory and returns its path.
func write(t *testing.T, f *familytest.Fixture, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(f.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// eventually waits until something is so. It fails only where the test would otherwise hang.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// wantRunning stops the test unless the service runs and is looked after.
func wantRunning(t *testing.T, s service) found {
	t.Helper()
	f := s.find()
	if !f.well() {
		t.Fatalf("%s does not run: %+v\n%s", s.name, f, read(t, s.file(".log")))
	}
	return f
}

// wantGone stops the test if anything of the service runs.
func wantGone(t *testing.T, s service) {
	t.Helper()
	if left := s.processes(); len(left) > 0 {
		t.Fatalf("of %s there are still %v", s.name, left)
	}
}

// freePort returns a port on which nobody listens.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// byHand runs a start script as a person would, with a shell.
func byHand(t *testing.T, shell []string, s service, verb string) (output string, code int) {
	t.Helper()
	cmd := exec.Command(shell[0], append(shell[1:], s.script(), verb)...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// shells are the POSIX shells that are there: with CI=true, all of these.
func shells(t testing.TB) [][]string {
	t.Helper()
	var found [][]string
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"ksh"}, {"sh"}} {
		if _, err := exec.LookPath(shell[0]); err == nil {
			found = append(found, shell)
		} else if os.Getenv("CI") == "true" {
			t.Errorf("there is no %s", shell[0])
		}
	}
	return found
}
