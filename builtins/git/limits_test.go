package git

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// A huge file is not held in memory, be it packed or not.
func TestHugeFiles(t *testing.T) {
	const size = 64 << 20
	w := newWork(t)
	f, err := os.Create(filepath.Join(w.dir, "huge"))
	if err == nil {
		_, err = io.CopyN(f, zeros{}, size)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	commit := w.commit("huge")
	for _, layout := range []string{"loose", "packed"} {
		if layout == "packed" {
			w.git("gc", "-q")
		}
		fix := fixture(t, w)
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		fix.Run(checkoutRecipe(w, commit)).Want(events.Succeeded)
		goruntime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > size/4 {
			t.Errorf("%s: %d MiB were allocated for a file of %d", layout, used>>20, size>>20)
		}
		if info, err := os.Stat(filepath.Join(fix.Dir, "release", "huge")); err != nil || info.Size() != size {
			t.Errorf("%s: got %v, %v", layout, info, err)
		}
		fix.Run(fmt.Sprintf(`git.read(%q, "main", "huge")`, w.dir)).Want(events.Refused).WantError("the limit is")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// The part of go-git that starts git is not even in the program.
func TestNoProgramIsLinked(t *testing.T) {
	tool, err := exec.LookPath("go")
	familytest.Need(t, err == nil, "the go tool is not installed")
	out, err := exec.Command(tool, "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := string(out)
	if !strings.Contains(deps, "go-git/v5/plumbing/transport/ssh\n") {
		t.Fatal("the list of what is linked is not what it should be")
	}
	for _, starter := range []string{"go-git/v5/plumbing/transport/file\n", "execabs\n"} {
		if strings.Contains(deps, starter) {
			t.Errorf("%s is linked", strings.TrimSpace(starter))
		}
	}
}
