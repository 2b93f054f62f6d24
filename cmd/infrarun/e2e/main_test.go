package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/testdata/enginetest"
)

// binary is the command, built with failpoints.
var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "infrarun-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	defer enginetest.Stop()
	binary = filepath.Join(dir, "infrarun")
	cmd := exec.Command("go", "build", "-tags=failpoints", "-o", binary, "github.com/infrarun/infrarun/cmd/infrarun")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the command:", err)
		return 1
	}
	return m.Run()
}
