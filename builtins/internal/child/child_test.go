package child

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// runner is what NewRunner gives for a run with a marker of this test's own.
func runner(t *testing.T) *Runner {
	t.Helper()
	r := &Runner{marker: "INFRARUN_RUN=" + filepath.Base(t.TempDir()) + t.Name()}
	t.Cleanup(func() {
		if left := proc.WithEnv(r.marker); len(left) > 0 {
			t.Errorf("left running: %v", left)
			for _, id := range left {
				r.Signal(id, syscall.SIGKILL)
			}
		}
	})
	return r
}

func sh(script string) Spec { return Spec{Argv: []string{"sh", "-c", script}} }

func TestResult(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name string
		spec Spec
		want Result
		err  string
	}{
		{name: "output", spec: sh("echo out; echo err >&2; printf end"), want: Result{Stdout: "out\nend", Stderr: "err\n"}},
		{name: "input", spec: Spec{Argv: []string{"cat"}, Stdin: "given\n"}, want: Result{Stdout: "given\n"}},
		{name: "no input", spec: Spec{Argv: []string{"cat"}}},
		{name: "input nobody reads", spec: Spec{Argv: []string{"true"}, Stdin: strings.Repeat("x", 1<<20)}},
		{name: "directory", spec: Spec{Argv: []string{"sh", "-c", `pwd; echo "$PWD"`}, Dir: dir}, want: Result{Stdout: dir + "\n" + dir + "\n"}},
		{name: "bytes", spec: sh(`printf '\377\000\r\n'`), want: Result{Stdout: "\xff\x00\r\n"}},
		{name: "arguments", spec: Spec{Argv: []string{"printf", "%s|", "a b", "$HOME", "'", "*"}}, want: Result{Stdout: "a b|$HOME|'|*|"}},
		{name: "third file", spec: Spec{Argv: []string{"sh", "-c", "echo one >&3; exec 3>&-; echo two"}, Third: true}, want: Result{Stdout: "one\ntwo\n"}},
		{name: "failure", spec: sh("echo said; echo why >&2; exit 3"), want: Result{Code: 3, Stdout: "said\n", Stderr: "why\n"},
			err: "exit status 3: why"},
		{name: "failure without stderr", spec: sh("echo one; echo two; exit 1"), want: Result{Code: 1, Stdout: "one\ntwo\n"},
			err: "exit status 1; its last lines are\n  one\n  two"},
		{name: "silent failure", spec: sh("exit 1"), want: Result{Code: 1}, err: "exit status 1, without a word"},
		{name: "signal", spec: sh("kill -TERM $$"), want: Result{Code: 143}, err: "killed by signal 15 (terminated), without a word"},
		{name: "killed", spec: sh("kill -KILL $$"), want: Result{Code: 137}, err: "killed by signal 9 (somebody ended it, or the machine ran out of memory), without a word"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := runner(t).Run(t.Context(), tt.spec)
			if got != tt.want {
				t.Errorf("result = %+v, want %+v", got, tt.want)
			}
			if text := fmt.Sprint(err); err == nil && tt.err != "" || err != nil && text != tt.err {
				t.Errorf("error = %q, want %q", text, tt.err)
			}
			var failed *ExitError
			if err != nil && (!errors.As(err, &failed) || failed.Code != tt.want.Code) {
				t.Errorf("error = %#v, want an ExitError with code %d", err, tt.want.Code)
			}
		})
	}
}

func TestLinesAsTheyCome(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "go-on")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []string
	s := sh("echo one; read line <" + fifo + "; echo $line >&2; printf three")
	s.Line = func(stream, line string) {
		lines = append(lines, stream+" "+line)
		if line == "one" { // it waits for this: so the line came while it ran
			if err := os.WriteFile(fifo, []byte("two\n"), 0); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := runner(t).Run(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines[1:]) // the streams are two
	if want := []string{"stdout one", "stderr two", "stdout three"}; !slices.Equal(lines, want) {
		t.Errorf("lines = %q, want %q", lines, want)
	}
}

func TestOutputIsBounded(t *testing.T) {
	seen := 0
	s := sh(fmt.Sprintf("yes 1234567 | head -c %d", MaxOutput+8))
	s.Line = func(_, line string) { seen += len(line) + 1 }
	got, err := runner(t).Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Cut || len(got.Stdout) <= MaxOutput || !strings.Contains(got.Stdout[MaxOutput:], "cut here") {
		t.Errorf("cut = %v, %d bytes, end %q", got.Cut, len(got.Stdout), got.Stdout[len(got.Stdout)-80:])
	}
	if seen != MaxOutput+8 {
		t.Errorf("%d bytes were shown, want all %d", seen, MaxOutput+8)
	}
	exact, err := runner(t).Run(t.Context(), sh(fmt.Sprintf("yes 1234567 | head -c %d", MaxOutput)))
	if err != nil || exact.Cut || len(exact.Stdout) != MaxOutput {
		t.Errorf("as much as there is room for: cut = %v, %d bytes, %v", exact.Cut, len(exact.Stdout), err)
	}
}

// An executable that is being written while another process is forked is busy for a moment.
func TestBusyExecutable(t *testing.T) {
	r := runner(t)
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 10 {
				file := filepath.Join(dir, fmt.Sprintf("%d-%d", i, n))
				if err := os.WriteFile(file, []byte("#!/bin/sh\necho ran\n"), 0o755); err != nil {
					t.Error(err)
				}
				if got, err := r.Run(t.Context(), Spec{Argv: []string{file}}); err != nil || got.Stdout != "ran\n" {
					t.Errorf("= %+v, %v", got, err)
				}
			}
		})
	}
	all.Wait()
}
