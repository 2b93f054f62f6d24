// Package child starts commands and ends them, with everything that they started.
//
// A command runs in a session of its own: no terminal can be asked for a password, Ctrl-C reaches
// infrarun alone, and the whole of it can be ended together. It inherits infrarun's environment except
// for what is infrarun's own (INFRARUN_…), and carries the run's marker, so that a rollback in another
// process finds what outlived this one.
//
// A [Runner] is to be had only for a run's writer, so that a preview starts nothing; the one exception
// is [Probe], for commands that the recipe's author declares to change nothing. Permission is the
// business of the families that use this package.
//
//	child.go    what to run, and starting it
//	wait.go     waiting for its end, and bringing that about
//	end.go      ending processes
//	pipes.go    its input and output: lines while it runs, the whole afterwards
//	drain.go    reading what is left when it has ended
//	tail.go     its last lines, for an error
//	lookup.go   which file a command's name stands for
//	environ.go  its environment and its user
//	errors.go   how a command fails
//	quote.go    a command as a person would type it
package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
)

// Spec is a command to run.
type Spec struct {
	Argv    []string          // the command, as [Lookup] takes it, and its arguments
	Dir     string            // the working directory, absolute; "" is infrarun's
	Env     map[string]string // what is set beside what is inherited
	User    string            // who runs it; "" is who runs infrarun
	Stdin   string            // what it reads
	Timeout time.Duration     // how long it may take; 0 is as long as it likes
	// Third has the command's standard output be its file 3 as well: for one that tells its progress on a file which it
	// then closes to all that it starts.
	Third bool
	// Line is called with each line of its output as it comes, for one line at a time. Stream is
	// "stdout" or "stderr".
	Line func(stream, line string)
}

// Check refuses what cannot be started: no command, or a NUL byte, at which the kernel would silently
// cut a text off.
func (s Spec) Check() error {
	if len(s.Argv) == 0 || s.Argv[0] == "" {
		return errors.New("there is no command: argv is empty")
	}
	for i, a := range s.Argv {
		if strings.ContainsRune(a, 0) {
			return fmt.Errorf("argv[%d] holds a NUL byte", i)
		}
	}
	if strings.ContainsRune(s.Dir, 0) {
		return errors.New("the working directory holds a NUL byte")
	}
	return CheckEnv(s.Env)
}

// Result is what a command did.
type Result struct {
	Code           int    // exit status, or 128 and the number of the signal that killed it
	Stdout, Stderr string // at most [MaxOutput] bytes each
	// Cut tells that there was more output than that, Left that something that it started goes on
	// and holds its output open.
	Cut, Left bool
}

// Runner starts and ends processes.
type Runner struct {
	marker string
}

// NewRunner returns what starts processes for a run.
func NewRunner(w *runtime.Writer) *Runner {
	w.Require()
	return &Runner{w.Marker()}
}

// Probe runs a command that its caller declares to change nothing, in a preview too.
func Probe(ctx context.Context, r *runtime.Reader, s Spec) (Result, error) {
	return (&Runner{r.Marker()}).Run(ctx, s)
}

// Run runs a command to its end. A command that fails gives an [ExitError] beside its result, one that
// takes too long a [TimeoutError]; when ctx is cancelled the cause is the error. In both cases it and
// all that it started and that did not take a session of its own has ended when Run returns.
func (r *Runner) Run(ctx context.Context, s Spec) (Result, error) {
	if err := s.Check(); err != nil {
		return Result{}, err
	}
	if err := ctx.Err(); err != nil {
		return Result{}, context.Cause(ctx)
	}
	cmd, err := r.command(s)
	if err != nil {
		return Result{}, err
	}
	p, err := newPipes(s.Line)
	if err != nil {
		return Result{}, err
	}
	defer p.close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.stdin.r, p.stdout.w, p.stderr.w
	if s.Third {
		cmd.ExtraFiles = []*os.File{p.stdout.w}
	}
	if err := r.start(cmd, s); err != nil {
		return Result{}, err
	}
	p.serve(s.Stdin)
	return r.wait(ctx, s, cmd, p)
}

// Detach starts a command that goes on when infrarun has ended. It has exactly the environment env,
// without the run's marker, reads nothing and prints to output; if that is nil, what it prints is lost.
func (r *Runner) Detach(s Spec, env []string, output *os.File) (proc.Identity, error) {
	if err := s.Check(); err != nil {
		return proc.Identity{}, err
	}
	cmd, err := r.command(s)
	if err != nil {
		return proc.Identity{}, err
	}
	cmd.Env = env // exec opens /dev/null for what is left nil
	if output != nil {
		cmd.Stdout, cmd.Stderr = output, output
	}
	keepFiles()
	if err := r.start(cmd, s); err != nil {
		return proc.Identity{}, err
	}
	id, _ := proc.Identify(cmd.Process.Pid) // it is not reaped before Wait: the pid is its own
	go cmd.Wait()                           // nothing is asked of it but not to stay a zombie
	return id, nil
}

// command prepares the start of a command.
func (r *Runner) command(s Spec) (*exec.Cmd, error) {
	path, err := Lookup(s.Argv[0], s.Dir)
	if err != nil {
		return nil, err
	}
	credential, env, err := userOf(s.User)
	if err != nil {
		return nil, err
	}
	return &exec.Cmd{
		Path: path, Args: s.Argv, Dir: s.Dir, Env: environ(os.Environ(), env, s, r.marker),
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Credential: credential},
	}, nil
}

// keepFiles sees to it that what runs on has none of the files that whoever started infrarun left open to
// it, such as a lock or the pipe of a deployment job that waits for its end. Those that infrarun opens
// itself are never passed on.
var keepFiles = sync.OnceFunc(func() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
})

const (
	busyTries = 20
	busyPause = 10 * time.Millisecond
)

// start starts a prepared command. An executable that was just written is "busy" while a process that
// was forked at that moment still holds a copy of the writer's file: it goes away by itself.
func (r *Runner) start(cmd *exec.Cmd, s Spec) error {
	err := cmd.Start()
	for try := 0; errors.Is(err, syscall.ETXTBSY) && try < busyTries; try++ {
		time.Sleep(busyPause)
		again := *cmd // a Cmd can be started once
		*cmd = exec.Cmd{
			Path: again.Path, Args: again.Args, Dir: again.Dir, Env: again.Env, SysProcAttr: again.SysProcAttr,
			Stdin: again.Stdin, Stdout: again.Stdout, Stderr: again.Stderr, ExtraFiles: again.ExtraFiles,
		}
		err = cmd.Start()
	}
	if err != nil {
		return startError(s, cmd.Path, err)
	}
	return nil
}
