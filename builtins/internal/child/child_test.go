package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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
	if !got.Cut || len(got.Stdout) != MaxOutput+len(cutNotice) || !strings.HasSuffix(got.Stdout, cutNotice) {
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

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	plain := write("plain", "echo\n", 0o644)
	noInterpreter := write("no-interpreter", "#!/no/such/interpreter\n", 0o755)
	noProgram := write("no-program", "\x00\x01\x02", 0o755)
	tests := []struct {
		spec Spec
		want string
	}{
		{Spec{}, "argv is empty"},
		{Spec{Argv: []string{""}}, "argv is empty"},
		{Spec{Argv: []string{"echo", "a\x00b"}}, "argv[1] holds a NUL byte"},
		{Spec{Argv: []string{"echo"}, Dir: "/a\x00"}, "working directory holds a NUL byte"},
		{Spec{Argv: []string{"echo"}, Env: map[string]string{"A": "x\x00"}}, "value of A holds a NUL byte"},
		{Spec{Argv: []string{"echo"}, Env: map[string]string{"A=B": "x"}}, `"A=B" is no name of a variable`},
		{Spec{Argv: []string{"ech0"}}, `no command "ech0" in PATH, ` + os.Getenv("PATH") + ` (did you mean "echo"?)`},
		{Spec{Argv: []string{dir + "/none"}}, "there is no command " + dir + "/none"},
		{Spec{Argv: []string{plain + "/none"}}, "there is no command " + plain + "/none"},
		{Spec{Argv: []string{"./none"}, Dir: dir}, "there is no command " + dir + "/none"},
		{Spec{Argv: []string{plain}}, "cannot execute " + plain + ": its mode 0644"},
		{Spec{Argv: []string{dir}}, "cannot execute " + dir + ": it is a directory"},
		{Spec{Argv: []string{noInterpreter}}, "the interpreter that it names"},
		{Spec{Argv: []string{noProgram}}, "neither a program for this machine nor a script"},
		{Spec{Argv: []string{"true", strings.Repeat("x", 1<<22)}}, "larger than the kernel takes"},
		{Spec{Argv: []string{"true"}, Dir: dir + "/none"}, "its working directory " + dir + "/none does not exist"},
		{Spec{Argv: []string{"true"}, Dir: plain}, "its working directory " + plain + " is not a directory"},
		{Spec{Argv: []string{"true"}, User: "nobody-has-this-name"}, `no user "nobody-has-this-name"`},
	}
	for _, tt := range tests {
		if _, err := runner(t).Run(t.Context(), tt.spec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q = %v, want %q", tt.spec.Argv, err, tt.want)
		}
	}
}

// stubborn is a command that ignores SIGTERM, as does what it starts, and tells when it is ready.
const stubborn = `trap '' TERM; sh -c 'while :; do sleep 1; done' & echo ready; while :; do sleep 1; done`

func TestTimeoutEndsEverything(t *testing.T) {
	s := sh("sleep 600 & echo started; sleep 600")
	s.Timeout = 200 * time.Millisecond
	_, err := runner(t).Run(t.Context(), s) // which checks that nothing is left
	var late *TimeoutError
	if !errors.As(err, &late) || late.After != s.Timeout {
		t.Fatalf("error = %v, want a TimeoutError", err)
	}
	if want := "not done after 200ms, so it was ended; a larger timeout gives it longer: started"; err.Error() != want {
		t.Errorf("error = %q, want %q", err, want)
	}
}

func TestCancellationEndsEverything(t *testing.T) {
	interrupted := errors.New("interrupted")
	for name, script := range map[string]string{
		"willing":                  "echo ready; sleep 600",
		"stubborn":                 stubborn,
		"with a group of its own":  "set -m; sleep 600 & echo ready; wait",
		"stopped by a stop signal": "echo ready; kill -STOP $$",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			s := sh(script)
			s.Line = func(_, line string) {
				if line == "ready" {
					cancel(interrupted)
				}
			}
			if _, err := runner(t).Run(ctx, s); !errors.Is(err, interrupted) {
				t.Errorf("error = %v, want the cause", err)
			}
			if _, err := runner(t).Run(ctx, sh("echo")); !errors.Is(err, interrupted) {
				t.Errorf("started after the cancellation: %v", err)
			}
		})
	}
}

// A daemon that a command leaves must neither be waited for for ever nor be ended with it.
func TestDaemonThatHoldsTheOutput(t *testing.T) {
	r := runner(t)
	got, err := r.Run(t.Context(), sh("setsid sleep 600 & echo $!"))
	if err != nil || !got.Left || strings.TrimSpace(got.Stdout) == "" {
		t.Fatalf("result = %+v, %v, want one that tells of what it left", got, err)
	}
	left := proc.WithEnv(r.marker)
	if len(left) != 1 {
		t.Fatalf("left = %v, want the daemon", left)
	}
	killed, err := r.End(t.Context(), time.Minute, left, func() []proc.Identity { return proc.WithEnv(r.marker) })
	if killed || err != nil {
		t.Errorf("End = %v, %v, want that SIGTERM was enough", killed, err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("INFRARUN_GITHUB_TOKEN", "hunter2hunter2")
	t.Setenv("PLAIN", "inherited")
	r := runner(t)
	s := sh("env")
	s.Env = map[string]string{"GIVEN": "a b\nc", "PLAIN": "changed"}
	got, err := r.Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"GIVEN=a b\nc\n", "PLAIN=changed\n", "PATH=" + os.Getenv("PATH") + "\n", r.marker + "\n"} {
		if !strings.Contains(got.Stdout, want) {
			t.Errorf("environment lacks %q:\n%s", want, got.Stdout)
		}
	}
	if strings.Contains(got.Stdout, "TOKEN") {
		t.Error("a variable of infrarun's own is inherited")
	}
}

func TestSameUser(t *testing.T) {
	s := sh(`id -u; echo "$USER"`)
	s.User = fmt.Sprint(os.Geteuid())
	u, err := FindUser(s.User)
	if err != nil {
		t.Skip(err)
	}
	got, err := runner(t).Run(t.Context(), s)
	if want := fmt.Sprintf("%d\n%s\n", os.Geteuid(), u.Username); err != nil || got.Stdout != want {
		t.Errorf("= %q, %v, want %q", got.Stdout, err, want)
	}
}

func TestOtherUser(t *testing.T) {
	u, err := FindUser("nobody")
	if err != nil {
		t.Skip(err)
	}
	s := sh(`id -u; id -g; id -G; echo "$HOME $USER $LOGNAME"`)
	s.User, s.Dir = "nobody", "/"
	got, err := runner(t).Run(t.Context(), s)
	if os.Geteuid() != 0 {
		if err == nil || !strings.Contains(err.Error(), "only root") {
			t.Errorf("error = %v, want that only root can", err)
		}
		return
	}
	want := fmt.Sprintf("%s\n%s\n%s\n%s nobody nobody\n", u.Uid, u.Gid, u.Gid, u.HomeDir)
	if err != nil || got.Stdout != want {
		t.Errorf("= %q, %v, want %q", got.Stdout, err, want)
	}
	private := t.TempDir()
	if err := os.Chmod(private, 0o700); err != nil {
		t.Fatal(err)
	}
	s.Dir = private
	if _, err := runner(t).Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), "user nobody may not") {
		t.Errorf("in a directory it may not enter: %v", err)
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

func TestDetachedProcessIsOnItsOwn(t *testing.T) {
	r := runner(t)
	out := filepath.Join(t.TempDir(), "out")
	log, err := os.Create(out + ".log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	id, err := r.Detach(sh("env >"+out+".new; mv "+out+".new "+out+"; exec sleep 600"), []string{"PATH=" + os.Getenv("PATH"), "ONLY=this"}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Signal(id, syscall.SIGKILL)
	for {
		if _, err := os.Stat(out); err == nil {
			break
		}
	}
	text, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(text), "ONLY=this\n") || strings.Contains(string(text), "INFRARUN") || strings.Contains(string(text), "HOME=") {
		t.Errorf("environment = %q, %v", text, err)
	}
	s, err := proc.ReadStat(id.PID)
	if err != nil || s.Session != id.PID {
		t.Errorf("stat = %+v, %v, want a session of its own", s, err)
	}
	for fd, want := range []string{os.DevNull, log.Name(), log.Name()} {
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", id.PID, fd)); err != nil || to != want {
			t.Errorf("file %d is %s, %v, want %s", fd, to, err, want)
		}
	}
	if _, err := r.Detach(Spec{}, nil, nil); err == nil {
		t.Error("nothing was detached without an error")
	}
	if _, err := r.Detach(Spec{Argv: []string{"/no/such"}}, nil, nil); err == nil {
		t.Error("what is not there was detached without an error")
	}
}

// A process that got the pid of one that ended is not ended in its place.
func TestSignalSparesAnother(t *testing.T) {
	r := runner(t)
	id, err := r.Detach(Spec{Argv: []string{"sleep", "600"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Signal(proc.Identity{PID: id.PID, Start: id.Start - 1}, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	if !id.Alive() {
		t.Fatal("another process was ended")
	}
	gone := func() []proc.Identity {
		if id.Alive() {
			return []proc.Identity{id}
		}
		return nil
	}
	if _, err := r.End(t.Context(), time.Minute, gone(), gone); err != nil || id.Alive() {
		t.Errorf("End = %v, alive %v", err, id.Alive())
	}
	if err := r.Signal(id, syscall.SIGKILL); err != nil {
		t.Errorf("of one that has ended: %v", err)
	}
}
