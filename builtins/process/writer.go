package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

const (
	scriptMode     fs.FileMode = 0o755
	definitionMode fs.FileMode = 0o644
	envMode        fs.FileMode = 0o600 // there may be secrets in it
	logMode        fs.FileMode = 0o640
)

// control starts and ends services.
type control struct {
	w     *runtime.Writer
	run   *child.Runner
	files *filesys.Writer
}

func newControl(w *runtime.Writer) *control {
	w.Require()
	return &control{w, child.NewRunner(w), filesys.Writable(w)}
}

// origin is from where a command is run: the file and the directory that its paths lead to. The zero value
// is where they lead when it starts.
type origin struct {
	Executable string `json:"executable"`
	Directory  string `json:"directory"`
}

// write writes a service's script and definition.
func (c *control) write(ctx context.Context, s service, script, definition []byte) error {
	return c.files.WriteFiles(ctx, []filesys.NewFile{
		{Path: s.script(), Content: script, Mode: scriptMode, UID: filesys.Keep, GID: filesys.Keep},
		{Path: s.definition(), Content: definition, Mode: definitionMode, UID: filesys.Keep, GID: filesys.Keep},
	})
}

// start starts a service from its files and waits until its command runs. If that fails nothing is left
// running.
func (c *control) start(ctx context.Context, s service, d definition, from origin) (found, error) {
	log, err := os.OpenFile(d.Log, os.O_WRONLY|os.O_APPEND|os.O_CREATE, logMode)
	if err != nil {
		return found{}, fmt.Errorf("open its log: %w", err)
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return found{}, fmt.Errorf("open its log: %w", err)
	}
	// An old state must not be taken for what the new supervisor writes.
	if err := os.Remove(s.stateFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return found{}, err
	}
	supervisor, err := c.launch(s, d, from, log)
	if err != nil {
		return found{}, fmt.Errorf("start its supervisor: %w", err)
	}
	f, err := s.await(ctx, supervisor)
	if err == nil {
		return f, nil
	}
	err = fmt.Errorf("%w%s", err, printedSince(d.Log, begin))
	return found{}, errors.Join(err, c.stop(context.WithoutCancel(ctx), s, d.patience(), nil))
}

// launch starts the supervisor.
func (c *control) launch(s service, d definition, from origin, log *os.File) (proc.Identity, error) {
	o, err := ownerOf(filesys.Machine(), d)
	if err != nil {
		return proc.Identity{}, err
	}
	spec := child.Spec{Argv: []string{"/bin/sh", s.script(), "run"}, Dir: "/"}
	if from != (origin{}) {
		spec.Argv = append(spec.Argv, from.Executable, from.Directory)
	}
	if err := failpoint.Hit("process.before-launch"); err != nil {
		return proc.Identity{}, err
	}
	supervisor, err := c.run.Detach(spec, environment(s, o), log)
	if err != nil {
		return proc.Identity{}, err
	}
	return supervisor, failpoint.Hit("process.after-launch")
}

// stop ends everything of a service and waits until it is gone and the ports are free. Nothing happens if
// nothing runs.
func (c *control) stop(ctx context.Context, s service, patience time.Duration, freed []int) error {
	all := s.processes()
	if slices.ContainsFunc(all, func(id proc.Identity) bool { return id.PID == os.Getpid() }) {
		return errors.New("infrarun itself was started by this process, so it cannot end it")
	}
	if len(all) > 0 {
		killed, err := c.run.End(ctx, patience, s.toBeAsked(all), s.processes)
		if err != nil {
			return err
		}
		if killed {
			c.w.Warn("%s did not end within %v and was ended by force", s.name, patience)
		}
	}
	// A supervisor that was killed leaves its pidfile, and what it was about to write.
	for _, path := range append(s.drafts(), s.pidFile()) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if len(all) == 0 {
		return nil // whoever has the ports now had them before
	}
	return awaitFree(ctx, freed)
}

// toBeAsked leaves out what the supervisor asks itself: whoever is asked twice may take that for a demand
// to end at once.
func (s service) toBeAsked(all []proc.Identity) []proc.Identity {
	f := s.find()
	if !f.well() {
		return all
	}
	session := proc.InSession(f.command.PID)
	return slices.DeleteFunc(slices.Clone(all), func(id proc.Identity) bool { return slices.Contains(session, id) })
}

// setLogAside keeps what a service that is undone has printed, in the run's directory: it tells why.
func (c *control) setLogAside(log string) error {
	if _, err := os.Lstat(log); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	place, err := c.w.Discard()
	if err != nil {
		return err
	}
	err = os.Rename(log, place)
	if errors.Is(err, syscall.EXDEV) {
		if err = c.copy(log, place); err == nil {
			err = os.Remove(log)
		}
	}
	if err != nil {
		return fmt.Errorf("set the log %s aside: %w", log, err)
	}
	c.w.Warn("what %s printed is kept in %s", log, place)
	return nil
}

// copy copies a file to another file system.
func (c *control) copy(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
