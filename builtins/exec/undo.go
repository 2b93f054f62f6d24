package exec

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/fileundo"
	"github.com/infrarun/infrarun/runtime"
)

// undoKind is the kind of the undo records of exec.run.
const undoKind = "exec.run"

// undoTimeout bounds a command that takes another back, so that it cannot hold up a rollback for ever.
const undoTimeout = 10 * time.Minute

// undoArgs take a command back: first by the command that does so, then by removing what it created.
type undoArgs struct {
	Command *undoCommand     `json:"command,omitempty"`
	Created fileundo.Records `json:"created,omitempty"`
}

type undoCommand struct {
	Argv []string          `json:"argv"`
	Cwd  string            `json:"cwd"`
	Env  map[string]string `json:"env,omitempty"`
	User string            `json:"user,omitempty"`
}

// undoRecord returns what takes the command back, nil if its caller does not say how.
func (cmd *command) undoRecord(k *runtime.Keeper) (*runtime.Undo, error) {
	if cmd.undo == nil && len(cmd.creates) == 0 {
		return nil, nil
	}
	var args undoArgs
	if cmd.undo != nil {
		args.Command = &undoCommand{Argv: cmd.undo, Cwd: cmd.spec.Dir, Env: cmd.spec.Env, User: cmd.spec.User}
		text, err := json.Marshal(args.Command)
		if err != nil {
			return nil, err
		}
		if k.Secret(text) {
			return nil, errors.New("undo: the command or its env holds a secret, which must not stand in the journal; " +
				"let the command that undoes this read the secret itself, from a file")
		}
	}
	var err error
	args.Created, err = cmd.keepCreated(k)
	return &runtime.Undo{Kind: undoKind, Args: args, Note: cmd.Describe().UndoNote}, err
}

// takeBack carries out an undo record. The command is run whether or not the change happened: only it can
// tell.
func takeBack(ctx context.Context, w *runtime.Writer, args undoArgs) error {
	var errs []error
	if c := args.Command; c != nil {
		spec := child.Spec{Argv: c.Argv, Dir: c.Cwd, Env: c.Env, User: c.User, Timeout: undoTimeout, Line: w.Output}
		_, err := child.NewRunner(w).Run(ctx, spec)
		errs = append(errs, err)
	}
	return errors.Join(append(errs, args.Created.Undo(ctx, w))...)
}
