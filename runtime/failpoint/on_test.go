//go:build failpoints

package failpoint

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain is the child of the tests below when it is given a file to write: two hits, then one write.
func TestMain(m *testing.M) {
	path := os.Getenv("FAILPOINT_TEST_FILE")
	if path == "" {
		os.Exit(m.Run())
	}
	if err := child(path); err != nil {
		os.Stderr.WriteString(err.Error())
		if errors.Is(err, ErrInjected) {
			os.Exit(3)
		}
		os.Exit(4)
	}
}

func child(path string) error {
	for range 2 {
		if err := Hit("test.hit"); err != nil {
			return err
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = Write("test.write", f, []byte("12345678"))
	return err
}

func TestActions(t *testing.T) {
	tests := []struct {
		plan   string
		exit   int  // exit status of the child
		killed bool // by SIGKILL
		wrote  string
	}{
		{plan: "", wrote: "12345678"},
		{plan: "test.other=kill", wrote: "12345678"},
		{plan: "test.hit:1=error", exit: 3},
		{plan: "test.hit:2=kill", killed: true},
		{plan: "test.hit:3=kill", wrote: "12345678"},
		{plan: "test.hit=torn", killed: true},
		{plan: "test.write=error", exit: 3},
		{plan: "test.write=kill", killed: true},
		{plan: "test.write=torn", killed: true, wrote: "1234"},
		{plan: "*:3=torn", killed: true, wrote: "1234"},
		{plan: "*:4=kill", wrote: "12345678"},
	}
	for _, tt := range tests {
		t.Run(tt.plan, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out")
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "FAILPOINT_TEST_FILE="+path, Variable+"="+tt.plan)
			out, _ := cmd.CombinedOutput()
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if tt.killed != (status.Signaled() && status.Signal() == syscall.SIGKILL) {
				t.Errorf("killed = %v, want %v (output %s)", !tt.killed, tt.killed, out)
			}
			if !tt.killed && status.ExitStatus() != tt.exit {
				t.Errorf("exit %d, want %d (output %s)", status.ExitStatus(), tt.exit, out)
			}
			if got, _ := os.ReadFile(path); string(got) != tt.wrote {
				t.Errorf("wrote %q, want %q", got, tt.wrote)
			}
		})
	}
}

func TestParseRefusesMistakes(t *testing.T) {
	for _, s := range []string{"name", "name=explode", "name:0=kill", "name:x=kill", ":1=kill", "=kill"} {
		if p, err := parse(s); err == nil {
			t.Errorf("parse(%q) = %+v, want an error", s, p)
		} else if strings.TrimSpace(err.Error()) == "" {
			t.Errorf("parse(%q): empty error", s)
		}
	}
}
