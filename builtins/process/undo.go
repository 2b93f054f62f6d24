package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/fileundo"
	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
)

// before is a service as it ran before a change: who it was, from where it was run, and what its defining
// files were, told by size and time, which an undo puts back as well.
type before struct {
	Supervisor proc.Identity `json:"supervisor"`
	Command    proc.Identity `json:"command"`
	Origin     origin        `json:"origin"`
	Files      []stamp       `json:"files"`
}

// undoArgs go back to what ran before a change.
type undoArgs struct {
	Dir    string  `json:"dir"`
	Name   string  `json:"name"`
	Before *before `json:"before,omitempty"` // nil: nothing ran
	// Files puts back what defines the service, State what the supervisor wrote: that only if nothing ran, since
	// otherwise it is written anew.
	Files   fileundo.Records `json:"files,omitempty"`
	State   fileundo.Records `json:"state,omitempty"`
	NewLog  string           `json:"new_log,omitempty"` // a log that was not there
	Timeout time.Duration    `json:"timeout"`           // for what runs to end
}

// left is what a change left: the check for drift compares.
type left struct {
	Running    bool   `json:"running"`
	Definition string `json:"definition"` // its hash
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// definitionHash returns the hash of the definition that is there, "" if there is none.
func (s service) definitionHash() (string, error) {
	text, err := os.ReadFile(s.definition())
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return hash(text), nil
}

// stamps describes the defining files as they are.
func (s service) stamps() ([]stamp, error) {
	var all []stamp
	for _, path := range s.defining() {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			all = append(all, stamp{Path: path, Size: -1})
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, stamp{path, info.Size(), info.ModTime().UnixNano()})
	}
	return all, nil
}

// remember notes what runs of a service, to go back to it.
func (s service) remember(f found) (*before, error) {
	files, err := s.stamps()
	return &before{f.supervisor, f.command, origin{f.state.Executable, f.state.Directory}, files}, err
}

// same reports whether what ran before was never ended.
func (b *before) same(f found) bool {
	if b.Supervisor != (proc.Identity{}) {
		return f.supervisor == b.Supervisor
	}
	return f.command == b.Command
}

// again reports whether what runs is as what ran before: then an undo has been carried out already.
func (b *before) again(s service, f found) (bool, error) {
	if !f.well() || b.Origin != (origin{f.state.Executable, f.state.Directory}) {
		return false, nil
	}
	files, err := s.stamps()
	return slices.Equal(files, b.Files), err
}

// Undo implements runtime.Change.
func (st *start) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	if k.Secret(st.json) {
		return nil, errors.New("its command or env holds a secret, which would stand in its start script: put it into env_file")
	}
	args := undoArgs{Dir: st.svc.dir, Name: st.svc.name, Before: st.before, Timeout: max(st.def.patience(), st.previous.patience())}
	if st.newLog {
		args.NewLog = st.def.Log
	}
	for _, kept := range []struct {
		paths []string
		into  *fileundo.Records
	}{
		{st.svc.defining(), &args.Files},
		{st.svc.supervising(), &args.State},
	} {
		undo, err := filesys.KeepFiles(ctx, k, kept.paths)
		if err == nil {
			err = kept.into.Add(undo)
		}
		if err != nil {
			return nil, err
		}
	}
	note := "ends it"
	if st.before != nil {
		note = "ends it and starts what ran before"
	}
	return &runtime.Undo{Kind: startKind, Args: args, Note: note}, nil
}

// goBack has run what ran before, and nothing else. It may have been carried out already, wholly or in part,
// and the change may never have happened.
func goBack(ctx context.Context, w *runtime.Writer, args undoArgs) error {
	s := service{args.Dir, args.Name}
	c := newControl(w)
	now := s.find()
	if b := args.Before; b != nil {
		done, err := b.again(s, now)
		if err != nil {
			return err
		}
		if done || b.same(now) {
			return args.Files.Undo(ctx, w)
		}
	}
	if err := c.stop(ctx, s, args.Timeout, nil); err != nil {
		return err
	}
	if err := errors.Join(args.Files.Undo(ctx, w), args.State.Undo(ctx, w)); err != nil {
		return err
	}
	if args.NewLog != "" {
		if err := c.setLogAside(args.NewLog); err != nil {
			return err
		}
	}
	if args.Before == nil {
		return nil
	}
	return c.startAgain(ctx, s, args.Before.Origin)
}

// startAgain starts a service as its files, which have been put back, say, but from where it ran.
func (c *control) startAgain(ctx context.Context, s service, from origin) error {
	text, err := os.ReadFile(s.definition())
	if err != nil {
		return fmt.Errorf("start %s again: %w", s.name, err)
	}
	d, err := decodeDefinition(text)
	if err != nil {
		return fmt.Errorf("start %s again: %s: %w", s.name, s.definition(), err)
	}
	if _, err := c.start(ctx, s, d, from); err != nil {
		return fmt.Errorf("start %s again: %w", s.name, err)
	}
	return nil
}

// drift says how a service differs from what a change left.
func drift(_ context.Context, _ *runtime.Reader, args undoArgs, after left) (string, error) {
	s := service{args.Dir, args.Name}
	now := s.find()
	sum, err := s.definitionHash()
	switch {
	case err != nil:
		return "", err
	case after.Running && !now.any():
		return "does not run any more", nil
	case !after.Running && now.any():
		return fmt.Sprintf("runs again, as process %v", now.command), nil
	case after.Running && sum != after.Definition:
		return "was started with another definition", nil
	}
	return "", nil
}
