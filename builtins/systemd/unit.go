package systemd

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"path/filepath"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type installArgs struct {
	Name    string `arg:"name" doc:"the unit, or a template such as app@.service; without an end it is a service"`
	Content string `arg:"content" doc:"all that is to be in the file"`
	DropIn  string `arg:"drop_in" default:"" doc:"the name of a part such as \"10-limits\", which adds to the unit that is there, instead of the unit itself"`
}

type removeArgs struct {
	Name   string `arg:"name" doc:"the unit, or a template; without an end it is a service"`
	DropIn string `arg:"drop_in" default:"" doc:"the name of a part of the unit, which is to go instead of the unit itself"`
}

const fileDoc = "struct(name, path, changed)"

var unitBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.unit", Returns: fileDoc, Permission: "`systemd` on name", Undo: runtime.Exact,
	Doc: "Installs the file of a unit in " + unitDir + ", or with drop_in a part of one, unless it is there already, and has " +
		"systemd read it. Before anything is changed systemd-analyze judges a copy of it in infrarun's cache, in a preview too: " +
		"what it complains about is an error. It neither starts nor enables the unit, nor restarts it if it runs. Undo puts " +
		"the file back and, if the unit ran before and was started anew since, restarts it.",
	Example: `systemd.unit("infra-core-console", text.template(console_unit, settings))`,
}, func(c *runtime.Call, a installArgs) (starlark.Value, error) {
	ch, err := newInstalling(a.Name, a.DropIn)
	if err != nil {
		return nil, err
	}
	ch.call, ch.content = unitKind, []byte(a.Content)
	return c.Do(ch)
})

var removeBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.remove", Returns: fileDoc, Permission: "`systemd` on name", Undo: runtime.Exact,
	Doc: "Takes away the file of a unit in " + unitDir + ", or with drop_in a part of one, and has systemd read its units " +
		"anew. A unit that runs or is enabled must be stopped and disabled first. Undo puts it back.",
	Example: `systemd.stop("old"); systemd.disable("old"); systemd.remove("old")`,
}, func(c *runtime.Call, a removeArgs) (starlark.Value, error) {
	ch, err := newInstalling(a.Name, a.DropIn)
	if err != nil {
		return nil, err
	}
	ch.call, ch.gone = "systemd.remove", true
	return c.Do(ch)
})

// installing is the change of the file of a unit, or of a part of it.
type installing struct {
	call    string
	unit    string
	dropIn  string
	path    string
	content []byte
	gone    bool // it is to be removed

	found  seen
	action action
	dirs   []string // that are missing
}

// action is what it takes to make a file what is wanted.
type action int

const (
	none   action = iota // nothing
	create               // there is none
	write                // it differs
	drop                 // it is to go
	tell                 // it is so, and systemd has not read it
)

func newInstalling(name, dropIn string) (*installing, error) {
	unit, err := unitName(name)
	if err != nil {
		return nil, err
	}
	part, err := dropInName(dropIn)
	return &installing{unit: unit, dropIn: part, path: unitPath(unit, part)}, err
}

// Describe implements [runtime.Change].
func (i *installing) Describe() runtime.Description {
	return runtime.Description{
		Call: i.call, Target: i.unit, Needs: []policy.Need{need(i.unit)}, Undo: runtime.Exact, Touches: []string{i.path},
	}
}

// Probe implements [runtime.Change].
func (i *installing) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	found := runtime.Finding{Value: i.result(false)}
	v := filesys.Read(r)
	var err error
	if i.found, err = lookAny(ctx, r, i.unit); err != nil {
		return found, err
	}
	old, err := i.compare(v)
	if err != nil || i.action == none {
		found.Summary = "already so"
		return found, err
	}
	found.Needed = true
	switch i.action {
	case drop:
		found.Summary = "remove " + i.path
		found.Diff = diffOf(i.path, old, nil)
		return found, i.removable(v)
	case tell:
		found.Summary = "have systemd read its file"
		return found, nil
	case create:
		found.Summary = fmt.Sprintf("create %s, %s", i.path, filesys.Bytes(int64(len(i.content))))
	case write:
		found.Summary = fmt.Sprintf("change %s, %s to %s", i.path, filesys.Bytes(int64(len(old))), filesys.Bytes(int64(len(i.content))))
	}
	if i.dropIn != "" && i.found.missing() {
		if !r.Preview() {
			return found, fmt.Errorf("there is no unit %s of which it could be a part", i.unit)
		}
		found.Assumed = assumedThere(i.unit)
		return found, nil
	}
	found.Diff = diffOf(i.path, old, i.content)
	found.Assumed, err = verify(ctx, r, i)
	return found, err
}

// unitMode is that of files of units.
const unitMode = iofs.FileMode(0o644)

// maxUnit is the size in bytes up to which the file of a unit is read.
const maxUnit = 1 << 20

// compare decides what to do, and returns what is in the file now.
func (i *installing) compare(v *filesys.View) (old []byte, err error) {
	now, err := v.Lstat(i.path)
	switch {
	case errors.Is(err, iofs.ErrNotExist) && i.gone:
		return nil, nil
	case errors.Is(err, iofs.ErrNotExist):
		i.action = create
		return nil, i.findDirs(v)
	case err != nil:
		return nil, err
	case isMasked(i.found.File) && i.dropIn == "":
		return nil, errMasked
	case now.Kind != filesys.File:
		return nil, fmt.Errorf("%s is a %s, not a file: it was put there by hand or stands for another unit; remove it first", i.path, now.Kind)
	}
	if old, err = v.ReadFile(i.path, maxUnit); err != nil {
		return nil, err
	}
	switch {
	case i.gone:
		i.action = drop
	case string(old) != string(i.content) || now.Mode != unitMode:
		i.action = write
	case i.found.Stale:
		i.action = tell
	}
	return old, nil
}

// findDirs finds the directories that are missing: that of drop-ins is made with the first of them.
func (i *installing) findDirs(v *filesys.View) error {
	dir := filepath.Dir(i.path)
	there, err := exists(v, dir)
	if err == nil && !there {
		i.dirs = []string{dir}
	}
	return err
}

// vendorDirs are where units of packages are.
var vendorDirs = []string{"/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

// removable says why the file of a unit must not be taken away yet. One that takes the place of a package's may be.
func (i *installing) removable(v *filesys.View) error {
	if i.dropIn != "" {
		return nil
	}
	for _, dir := range vendorDirs {
		if there, err := exists(v, filepath.Join(dir, i.unit)); there || err != nil {
			return err
		}
	}
	switch {
	case i.found.on() && !isTemplate(i.unit):
		return errors.New("it runs: systemd.stop it first")
	case i.found.File == "enabled":
		return errors.New("it is started at boot: systemd.disable it first")
	}
	return nil
}

// lookAny is look for a unit that may be a template, of which systemd knows nothing but the file.
func lookAny(ctx context.Context, r *runtime.Reader, unit string) (seen, error) {
	l := linking{unit: unit}
	return l.look(ctx, r)
}

func (i *installing) result(did bool) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"name": starlark.String(i.unit), "path": starlark.String(i.path), "changed": starlark.Bool(did),
	})
}
