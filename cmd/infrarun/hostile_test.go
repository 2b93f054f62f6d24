package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

const (
	hostileDir    = "../../testdata/hostile"
	hostileTime   = 60 * time.Second
	hostileMemory = 16 << 20                // KiB of address space, of which Go reserves more than it uses
	hostileToken  = "h0stile-t0ken-value"   // a secret that recipes try to write down
	hostileSecret = "content-of-the-secret" // what they may not read
)

// TestHostile runs the recipes in testdata/hostile, which try to escape from what they declared or to
// exhaust the machine, as a preview and as a run, with limits on time and memory. What is to be expected
// stands as a comment at the end of each file:
//
//	# Expect preview 5, run 5 of --case read:
//	#   a text that the output must have
//	#   not a text that it must not have
//
// "of ARGUMENTS" may be left out; "when interrupted" in its place or behind it sends SIGINT as soon as
// the output has the word "looping". Whatever the recipe does, nothing outside of its directory may
// change, no process may stay, no control character may reach the terminal, and no secret any file.
func TestHostile(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "infrarun")
	// Not this test binary: the race detector needs more memory than the recipes are allowed.
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	files, err := filepath.Glob(hostileDir + "/*.star")
	if err != nil || len(files) == 0 {
		t.Fatalf("no hostile recipes: %v", err)
	}
	for _, file := range files {
		for _, e := range expectations(t, file) {
			name := strings.TrimSuffix(filepath.Base(file), ".star")
			t.Run(strings.TrimSpace(name+" "+strings.Join(e.args, " ")), func(t *testing.T) {
				t.Parallel()
				h := newHostile(t, binary, filepath.Base(file), e)
				before := h.tree("out")
				h.run("preview", e.preview, "--dry-run")
				if diff := cmp.Diff(before, h.tree("out")); diff != "" {
					t.Errorf("the preview changed something (-before +after):\n%s", diff)
				}
				h.run("run", e.run)
			})
		}
	}
}

// expectation is one block at the end of a hostile recipe.
type expectation struct {
	args         []string
	preview, run string // exit codes, or "any"
	interrupted  bool
	texts        []string
}

var expectLine = regexp.MustCompile(`^# Expect preview (\d+|any), run (\d+|any)(?: of (.+?))?( when interrupted)?:$`)

func expectations(t *testing.T, file string) []expectation {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []expectation
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if m := expectLine.FindStringSubmatch(line); m != nil {
			found = append(found, expectation{
				args: strings.Fields(m[3]), preview: m[1], run: m[2], interrupted: m[4] != "",
			})
		} else if strings.HasPrefix(line, "# Expect") {
			t.Fatalf("%s: cannot read %q", file, line)
		} else if text, ok := strings.CutPrefix(line, "#   "); ok && len(found) > 0 {
			last := &found[len(found)-1]
			last.texts = append(last.texts, text)
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s does not end in what is to be expected", file)
	}
	return found
}

// run executes the recipe and checks what came of it.
func (h *hostile) run(mode, code string, more ...string) {
	h.t.Helper()
	outside := h.tree("outside")
	ctx, cancel := context.WithTimeout(h.t.Context(), hostileTime)
	defer cancel()
	limited := fmt.Sprintf("ulimit -v %d; exec \"$0\" \"$@\"", hostileMemory)
	args := append([]string{"-c", limited, h.binary, "recipe/" + h.recipe, "--state-dir=" + h.dir + "/state"}, h.expect.args...)
	cmd := exec.CommandContext(ctx, "sh", append(args, more...)...)
	cmd.Dir = h.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "HOSTILE_TOKEN=" + hostileToken}
	out := &watched{word: "looping"}
	if h.expect.interrupted {
		out.then = func() { cmd.Process.Signal(syscall.SIGINT) }
	}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	if ctx.Err() != nil {
		h.t.Fatalf("%s: it did not end within %s\n%s", mode, hostileTime, shortened(out.String()))
	}
	if got := strconv.Itoa(exitCode(cmd.ProcessState)); got != code && code != "any" {
		h.t.Errorf("%s: exit code %s, want %s (%v)", mode, got, code, err)
	}
	h.check(mode, out.String())
	if diff := cmp.Diff(outside, h.tree("outside")); diff != "" {
		h.t.Errorf("%s: something outside has changed (-before +after):\n%s", mode, diff)
	}
	if left := h.processes(); len(left) > 0 {
		h.t.Errorf("%s: processes are left: %q", mode, left)
	}
	if h.t.Failed() {
		h.t.Logf("%s:\n%s", mode, shortened(out.String()))
	}
}

// exitCode is the exit code as a shell tells it, also of what a signal has ended.
func exitCode(s *os.ProcessState) int {
	if status := s.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return s.ExitCode()
}

// check looks at what was printed, and at what was kept.
func (h *hostile) check(mode, out string) {
	h.t.Helper()
	for _, text := range h.expect.texts {
		unwanted, not := strings.CutPrefix(text, "not ")
		if not && strings.Contains(out, unwanted) {
			h.t.Errorf("%s: the output has %q", mode, unwanted)
		} else if !not && !strings.Contains(out, text) {
			h.t.Errorf("%s: the output lacks %q", mode, text)
		}
	}
	for _, r := range out {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			h.t.Errorf("%s: the output has the character %U", mode, r)
			break
		}
	}
	kept := map[string]string{"the output": out}
	for _, dir := range []string{"state", "out"} {
		maps.Copy(kept, h.contents(dir))
	}
	for where, text := range kept {
		inState := !strings.HasPrefix(where, "out/")
		if strings.Contains(text, hostileSecret) {
			h.t.Errorf("%s: %s has what the recipe may not read", mode, where)
		}
		if inState && (strings.Contains(text, hostileToken) || strings.Contains(text, "aDBzdGlsZS10MGtlbi12YWx1ZQ")) {
			h.t.Errorf("%s: %s has the secret", mode, where)
		}
	}
}
