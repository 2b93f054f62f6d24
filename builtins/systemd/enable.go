package systemd

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type unitArgs struct {
	Unit string `arg:"unit" doc:"the unit; without an end it is a service"`
}

const (
	changedDoc     = "struct(name, changed)"
	unitPermission = "`systemd` on unit"
)

// The verbs that change links.
const (
	enable  = "enable"
	disable = "disable"
	mask    = "mask"
	unmask  = "unmask"
)

var (
	enableBuiltin = linkBuiltin(enable, "Has a unit started at boot: makes the links that its section [Install] names. Nothing "+
		"is to do if they are there. It does not start the unit now.")
	disableBuiltin = linkBuiltin(disable, "Has a unit no longer started at boot: removes all links to it. It does not stop the "+
		"unit now.")
	maskBuiltin = linkBuiltin(mask, "Makes it impossible to start a unit, by hand or by another unit. It does not stop the unit "+
		"now. One whose file is in "+unitDir+" cannot be masked.")
	unmaskBuiltin = linkBuiltin(unmask, "Takes back systemd.mask: the unit is enabled or not as it was before.")
)

func linkBuiltin(verb, doc string) *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "systemd." + verb, Returns: changedDoc, Permission: unitPermission, Undo: runtime.Exact,
		Doc: doc + " Undo puts back the links of the unit, and of those that it enables as well, as they were.",
	}, func(c *runtime.Call, a unitArgs) (starlark.Value, error) {
		unit, err := linkable(c, a.Unit)
		if err != nil {
			return nil, err
		}
		return c.Do(&linking{verb: verb, unit: unit})
	})
}

// linkable is resolve for a unit that may also be a template.
func linkable(c *runtime.Call, text string) (string, error) {
	if name, err := unitName(text); err == nil && isTemplate(name) {
		return name, c.Need(need(name))
	}
	return resolve(c, text)
}

// linking is the change of the links of a unit.
type linking struct {
	verb    string
	unit    string
	install install
	have    links    // of the unit, and of those that it names in Also=
	dirs    []string // that hold links
	about   []string // the units
	file    string   // how it is enabled
	path    string   // its file
}

// Describe implements [runtime.Change].
func (l *linking) Describe() runtime.Description {
	return runtime.Description{
		Call: "systemd." + l.verb, Target: l.unit, Needs: []policy.Need{need(l.unit)}, Undo: runtime.Exact,
	}
}

// Probe implements [runtime.Change].
func (l *linking) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	s, err := l.look(ctx, r)
	if err != nil {
		return runtime.Finding{}, err
	}
	v := filesys.Read(r)
	if l.have, l.dirs, err = allLinks(v.ReadDir); err != nil {
		return runtime.Finding{}, err
	}
	l.path, l.file = s.Fragment, s.File
	if text, err := v.ReadFile(l.path, maxUnit); err == nil {
		l.install = parseInstall(string(text))
	}
	l.about = append([]string{l.unit}, l.install.Also...)
	l.have = l.have.of(l.about)
	found := runtime.Finding{Needed: true, Value: changed(l.unit, false)}
	if s.missing() && (l.verb == enable || l.verb == disable) && len(l.have) == 0 {
		return l.absent(r, found)
	}
	switch l.verb {
	case enable:
		return l.probeEnable(v, s, found)
	case disable:
		return l.probeDisable(found)
	}
	return l.probeMask(s, found)
}

// look is as for every unit. Of a template systemd tells only how it is enabled.
func (l *linking) look(ctx context.Context, r *runtime.Reader) (seen, error) {
	if !isTemplate(l.unit) {
		return look(ctx, r, l.unit)
	}
	// An instance that does not exist is loaded from the template.
	s, err := look(ctx, r, strings.Replace(l.unit, "@", "@infrarun", 1))
	if err != nil {
		return s, err
	}
	b, err := connect(ctx)
	if err != nil {
		return s, err
	}
	defer b.close()
	s.Unit = l.unit
	s.File, err = b.fileState(ctx, l.unit)
	if p := overlayOf(r.World()).of(l.unit); p.file != nil {
		s.File = *p.file
	}
	return s, err
}

// Undo implements [runtime.Change].
func (l *linking) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	args := linksUndo{Unit: l.unit, Units: l.about, Links: l.have, Dirs: l.dirs}
	return &runtime.Undo{Kind: linksKind, Args: args, Note: "puts back its links"}, nil
}

// Apply implements [runtime.Change].
func (l *linking) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newWriter(ctx, w)
	if err != nil {
		return runtime.Applied{}, err
	}
	defer x.close()
	if err := x.link(ctx, l.verb, l.unit); err != nil {
		return runtime.Applied{}, err
	}
	if err := x.reload(ctx); err != nil {
		return runtime.Applied{}, err
	}
	after, err := leftOf(ctx, x.bus, l.unit)
	return runtime.Applied{Value: changed(l.unit, true), After: after}, err
}

// Predict implements [runtime.Change].
func (l *linking) Predict(w *runtime.World) (starlark.Value, error) {
	o := filesys.Predicted(w)
	file := map[string]string{enable: "enabled", disable: "disabled", mask: "masked", unmask: "disabled"}[l.verb]
	var errs []error
	switch l.verb {
	case enable:
		for _, path := range l.install.links(l.unit) {
			errs = append(errs, o.Mkdir(filepath.Dir(path), 0o755, filesys.Keep, filesys.Keep), o.Symlink(l.path, path))
		}
	case disable:
		for path := range l.have.enabling(l.unit) {
			errs = append(errs, o.Remove(path))
		}
	case mask:
		errs = append(errs, o.Symlink("/dev/null", unitPath(l.unit, "")))
	case unmask:
		errs = append(errs, o.Remove(unitPath(l.unit, "")))
		if len(l.have.enabling(l.unit)) > 0 {
			file = "enabled"
		}
	}
	overlayOf(w).predict(l.unit, func(p *prediction) { p.file = &file })
	return changed(l.unit, true), errors.Join(errs...)
}

// changed is what a recipe gets of most changes.
func changed(unit string, did bool) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"name": starlark.String(unit), "changed": starlark.Bool(did),
	})
}
