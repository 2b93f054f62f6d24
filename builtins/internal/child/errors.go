package child

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/infrarun/infrarun/runtime/diag"
)

// NotFoundError is a command that is not there.
type NotFoundError struct {
	Command string
	File    string // the file that was looked for; "" for a name
	Path    string // the directories in which a name was looked for
}

func (e *NotFoundError) Error() string {
	if e.File != "" {
		return fmt.Sprintf("there is no command %s", e.File)
	}
	return fmt.Sprintf("there is no command %q in PATH, %s%s; install it or name it by its path",
		e.Command, e.Path, diag.DidYouMean(e.Command, pathNames(e.Path)))
}

// NotExecutableError is a file that is there but cannot be executed.
type NotExecutableError struct{ File, Why string }

func (e *NotExecutableError) Error() string {
	return fmt.Sprintf("cannot execute %s: %s", e.File, e.Why)
}

// ExitError is a command that ran and failed.
type ExitError struct {
	Code   int            // exit status, or 128 and the number of the signal
	Signal syscall.Signal // that killed it; 0 if none did
	Last   []string       // the last lines that it printed
}

func (e *ExitError) Error() string {
	what := fmt.Sprintf("exit status %d", e.Code)
	switch {
	case e.Signal == syscall.SIGKILL:
		what = "killed by signal 9 (somebody ended it, or the machine ran out of memory)"
	case e.Signal != 0:
		what = fmt.Sprintf("killed by signal %d (%s)", int(e.Signal), e.Signal)
	}
	return what + lastLines(e.Last)
}

// TimeoutError is a command that took too long and was ended.
type TimeoutError struct {
	After time.Duration
	Last  []string // the last lines that it printed
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("not done after %v, so it was ended; a larger timeout gives it longer", e.After) + lastLines(e.Last)
}

// lastLines appends what a command printed last to a message.
func lastLines(lines []string) string {
	switch len(lines) {
	case 0:
		return ", without a word"
	case 1:
		return ": " + lines[0]
	}
	return "; its last lines are\n  " + strings.Join(lines, "\n  ")
}

// startError says why a command whose file is there could not be started. The kernel's answer is the
// same for several causes.
func startError(s Spec, file string, err error) error {
	if s.Dir != "" {
		info, serr := os.Stat(s.Dir)
		if errors.Is(serr, fs.ErrNotExist) {
			return fmt.Errorf("its working directory %s does not exist", s.Dir)
		} else if serr != nil {
			return fmt.Errorf("its working directory: %w", serr)
		}
		if !info.IsDir() {
			return fmt.Errorf("its working directory %s is not a directory", s.Dir)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &NotExecutableError{file, "the interpreter that it names in its first line, or its dynamic loader, is not there"}
	case errors.Is(err, syscall.ENOEXEC):
		return &NotExecutableError{file, "it is neither a program for this machine nor a script that begins with #!"}
	case errors.Is(err, syscall.E2BIG):
		return &NotExecutableError{file, "its arguments and environment are larger than the kernel takes; give it a file to read"}
	case errors.Is(err, syscall.EACCES) && s.User != "":
		return &NotExecutableError{file, fmt.Sprintf("user %s may not execute it, or may not enter %s", s.User, s.Dir)}
	case errors.Is(err, fs.ErrPermission):
		return &NotExecutableError{file, "permission denied"}
	}
	return fmt.Errorf("start %s: %w", file, err)
}

const errNotDir = syscall.ENOTDIR // a part of the path is a file

func modeText(info fs.FileInfo) string { return fmt.Sprintf("%04o", info.Mode().Perm()) }
