package systemd

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/pmezard/go-difflib/difflib"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/fileundo"
	"github.com/infrarun/infrarun/runtime"
)

// unitUndo are the arguments of the undo of a change of a unit's file.
type unitUndo struct {
	Unit       string           `json:"unit"`
	Files      fileundo.Records `json:"files"`
	New        bool             `json:"new"`        // there was no such unit
	Ran        bool             `json:"ran"`        // it did before
	Invocation string           `json:"invocation"` // as what it ran
	First      bool             `json:"first"`      // see overlay.comesFirst
}

func (u unitUndo) unit() string { return u.Unit }

// Undo implements [runtime.Change].
func (i *installing) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	if k.Secret(i.content) {
		return nil, errors.New("its content holds a secret, and everybody can read the files of units: put it into a file " +
			"with mode 0600 that EnvironmentFile= or LoadCredential= names")
	}
	args := unitUndo{
		Unit: i.unit, New: i.action == create && i.dropIn == "" && i.found.missing(),
		Ran: i.found.on() && !isTemplate(i.unit), Invocation: i.found.Invocation,
		First: overlayOf(k.World()).comesFirst(i.unit),
	}
	var kept *runtime.Undo
	var err error
	switch i.action {
	case create:
		kept = filesys.UndoCreated(k, append(i.dirs, i.path)...)
	case write, drop:
		kept, err = filesys.KeepFile(ctx, k, i.path)
	}
	if err == nil && kept != nil {
		err = args.Files.Add(kept)
	}
	return &runtime.Undo{Kind: unitKind, Args: args, Note: "puts its file back"}, err
}

// Apply implements [runtime.Change].
func (i *installing) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newWriter(ctx, w)
	if err != nil {
		return runtime.Applied{}, err
	}
	defer x.close()
	files := filesys.Writable(w)
	switch i.action {
	case create, write:
		if _, err = files.MkdirAll(filepath.Dir(i.path), 0o755, filesys.Keep, filesys.Keep); err == nil {
			err = files.WriteFile(i.path, i.content, unitMode, filesys.Keep, filesys.Keep)
		}
	case drop:
		err = files.Delete(i.path)
	}
	if err == nil {
		err = x.reload(ctx)
	}
	if err != nil {
		return runtime.Applied{}, err
	}
	after, err := leftOf(ctx, x.bus, i.unit)
	return runtime.Applied{Value: i.result(true), After: after}, err
}

// Predict implements [runtime.Change].
func (i *installing) Predict(w *runtime.World) (starlark.Value, error) {
	o := filesys.Predicted(w)
	var err error
	switch i.action {
	case create, write:
		for _, dir := range i.dirs {
			err = errors.Join(err, o.Mkdir(dir, 0o755, filesys.Keep, filesys.Keep))
		}
		err = errors.Join(err, o.WriteFile(i.path, i.content, unitMode, filesys.Keep, filesys.Keep))
	case drop:
		err = o.Remove(i.path)
	}
	if i.dropIn == "" && i.action != tell {
		overlayOf(w).predict(i.unit, i.foretell)
	}
	return i.result(true), err
}

// foretell enters what systemd will know of the unit.
func (i *installing) foretell(p *prediction) {
	installed := !i.gone
	p.installed = &installed
	file := i.found.File
	switch bare := parseInstall(string(i.content)).none(); {
	case i.gone:
		file = ""
	case bare && file != "enabled":
		file = "static"
	case file == "" || file == "static":
		file = "disabled"
	}
	p.file = &file
}

// undoTimeout is how long a unit has to start or stop when the change of its file is undone.
const undoTimeout = 90 * time.Second

// undoUnit puts the file of a unit back, lets systemd read it, and has the unit run from it if it ran before.
func undoUnit(ctx context.Context, w *runtime.Writer, args unitUndo) error {
	x, err := newWriter(ctx, w)
	if err != nil {
		return err
	}
	defer x.close()
	template := isTemplate(args.Unit)
	if args.New && !template {
		// With its file it would lose what says how it is stopped.
		err = x.stopIfOn(ctx, args.Unit, undoTimeout)
	}
	err = errors.Join(err, args.Files.Undo(ctx, w), x.reload(ctx))
	if template {
		return err
	}
	if args.New {
		x.resetFailed(ctx, args.Unit) // else systemd goes on to list it
	}
	if err != nil || !args.Ran || !args.First {
		return err
	}
	s, err := x.state(ctx, args.Unit)
	if err != nil || s.up() && s.Invocation == args.Invocation {
		return err // it was never started anew
	}
	x.resetFailed(ctx, args.Unit)
	return x.run(ctx, restart, args.Unit, undoTimeout)
}

// diffOf returns the unified difference between two texts of a file.
func diffOf(path string, before, after []byte) string {
	from, to := path, path
	if before == nil {
		from = "/dev/null"
	}
	if after == nil {
		to = "/dev/null"
	}
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(string(before)), B: difflib.SplitLines(string(after)), FromFile: from, ToFile: to, Context: 3,
	})
	if err != nil {
		return "" // it cannot fail: it is written to memory
	}
	return text
}
