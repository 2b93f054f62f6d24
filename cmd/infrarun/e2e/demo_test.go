package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo runs what `make demo`, `make demo` again, `make demo-break` and `make demo-stop` run: the whole
// stack with its front end.
func TestDemo(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t)) // for its ports
	dir := filepath.Join(s.dir, "demo")
	env := append(os.Environ(), "DEMO_DIR="+dir, "DEMO_INFRARUN="+binary, "CI=true")
	for name, port := range s.ports {
		env = append(env, fmt.Sprintf("INFRARUN_%s_PORT=%d", strings.ToUpper(name), port))
	}
	demo := func(what string) string {
		t.Helper()
		cmd := exec.Command("../../../testdata/demo/demo.sh", what)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("demo.sh %s: %v\n%s", what, err, out)
		}
		return string(out)
	}
	t.Cleanup(func() { demo("stop") })

	out := demo("deploy")
	for _, want := range []string{"downloads", "[10/10] Final state", "make demo-stop", "Done. "} {
		if !strings.Contains(out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
	if code, body, err := s.get("http", "/"); err != nil || code != http.StatusOK || !strings.Contains(body, "<div id=") {
		t.Errorf("the gate serves no front end: %d %s %v", code, body, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "root/opt/infra-core/releases/*/ui/node_modules")); len(left) > 0 {
		t.Errorf("the release still has %v", left)
	}
	first := s.version()

	if out := demo("deploy"); !strings.Contains(out, "Nothing had to be changed") {
		t.Errorf("the second deployment is not idempotent:\n%s", out)
	}
	if out := demo("break"); !strings.Contains(out, "exit code 3") || !strings.Contains(out, `"status":"healthy"`) {
		t.Errorf("the broken version was not put back:\n%s", out)
	}
	if got := s.version(); got != first {
		t.Errorf("%s answers after the broken version, want %s", got, first)
	}
}
