//go:build failpoints

package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/runtime/failpoint"
)

// These tests run this binary again as a process that changes files under a journal, or rolls that back, and that
// dies at the first place where the journal can be interrupted, then the second, and so on. Whatever is left, a
// rollback in another process must restore every file.

// prepare makes the files of version 1.
func prepare(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("old "+name), 0o600))
	}
	return dir
}

func content(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		all = append(all, string(b))
	}
	return strings.Join(all, ",")
}

const (
	version1 = "old a,old secret,old c,old d,old e"
	version2 = "new,new,new,new,new"
)

// child runs a job with a failpoint, and returns whether it was killed and whether it succeeded.
func child(t *testing.T, job, dir, plan string) (killed, ok bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+job+" "+dir, failpoint.Variable+"="+plan)
	out, err := cmd.CombinedOutput()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	if err != nil && !killed && !strings.Contains(string(out), failpoint.ErrInjected.Error()) {
		t.Fatalf("%s with %s: %v\n%s", job, plan, err, out)
	}
	return killed, err == nil
}

func TestKilledDeploy(t *testing.T) {
	for _, action := range []string{"kill", "torn", "error"} {
		t.Run(action, func(t *testing.T) {
			hits := 0
			for n := 1; ; n++ {
				dir := prepare(t)
				killed, ok := child(t, "deploy", dir, fmt.Sprintf("*:%d=%s", n, action))
				if ok {
					if got := content(t, dir); got != version2 {
						t.Errorf("deployed: %s", got)
					}
					break
				}
				hits++
				if action == "error" == killed {
					t.Fatalf("hit %d: killed = %v", n, killed)
				}
				if killed {
					must(t, rollback(dir))
				}
				if got := content(t, dir); got != version1 {
					t.Errorf("hit %d: after the rollback: %s", n, got)
				}
				if s, err := Read(runDir(dir)); !errors.Is(err, fs.ErrNotExist) && (err != nil || s.Outcome != RolledBack) {
					t.Errorf("hit %d: %v, %+v", n, err, s)
				}
			}
			if hits < 50 {
				t.Errorf("only %d places to fail at", hits)
			}
		})
	}
}

// Each of these places must be passed: the writes and syncs that they stand before may not be lost.
func TestPlaces(t *testing.T) {
	for job, places := range map[string]string{
		"deploy": `journal.write-header journal.write-begin journal.sync-begin journal.write-intend journal.sync-intend
			journal.write-done journal.sync-finished journal.write-finished
			blob.before-write blob.before-sync blob.before-rename blob.before-dirsync`,
		"rollback": "journal.sync-open journal.write-undoing journal.sync-undoing journal.write-undone journal.sync-undone journal.sync-finished",
	} {
		for place := range strings.FieldsSeq(places) {
			dir := prepare(t)
			if job == "rollback" {
				must(t, deploy(dir))
			}
			if _, ok := child(t, job, dir, place+"=error"); ok {
				t.Errorf("%s does not pass %s", job, place)
			}
		}
	}
}

func TestKilledRollback(t *testing.T) {
	for _, action := range []string{"kill", "torn", "error"} {
		t.Run(action, func(t *testing.T) {
			hits := 0
			for n := 1; ; n++ {
				dir := prepare(t)
				must(t, deploy(dir))
				if _, ok := child(t, "rollback", dir, fmt.Sprintf("*:%d=%s", n, action)); ok {
					break
				}
				hits++
				s, err := Read(runDir(dir))
				must(t, err)
				if got := content(t, dir); got != version2 && s.Outcome == Committed {
					t.Errorf("hit %d: the journal says committed, the files are %s", n, got)
				}
				must(t, rollback(dir))
				if got := content(t, dir); got != version1 {
					t.Errorf("hit %d: after the second rollback: %s", n, got)
				}
			}
			if hits < 20 {
				t.Errorf("only %d places to fail at", hits)
			}
		})
	}
}
