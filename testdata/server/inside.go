package server

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// insideVariable is set where tests run on a server.
const insideVariable = "INFRARUN_TEST_INSIDE"

// Run runs tests on a server, as root, one after the other. It is all that the calling test does:
//
//	func TestOnServer(t *testing.T) {
//		server.Run(t, map[string]func(*testing.T){"start": testStart, …})
//	}
//
// On a developer's machine it starts a server, compiles the tests of the package and executes the calling test there,
// where the same call then runs the functions.
func Run(t *testing.T, tests map[string]func(*testing.T)) {
	t.Helper()
	names := slices.Sorted(maps.Keys(tests))
	if os.Getenv(insideVariable) != "" {
		for _, name := range names {
			t.Run(name, tests[name])
		}
		return
	}
	s := Start(t)
	program := s.install(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			r := s.Exec("env", insideVariable+"=1", "CI=true", "HOME=/root",
				program, "-test.v", "-test.run", "^"+t.Name()[:strings.LastIndex(t.Name(), "/")]+"$/^"+name+"$")
			if r.Code != 0 || !strings.Contains(r.Stdout, "--- PASS: "+t.Name()+" ") {
				t.Fatalf("on the server:\n%s%s", r.Stdout, r.Stderr)
			}
		})
	}
}

// install compiles the tests of the package and puts them on the server.
func (s *Server) install(t *testing.T) (program string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tests")
	// Without cgo the program needs no library that the server may lack. With failpoints it can be killed anywhere.
	build := exec.Command("go", "test", "-c", "-tags", "failpoints", "-o", file, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("compile the tests for the server: %v\n%s", err, out)
	}
	const to = "/opt/infrarun-test/tests"
	s.CopyIn(file, to, 0o755)
	return to
}
