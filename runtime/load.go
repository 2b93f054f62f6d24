package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/infrarun/infrarun/runtime/diag"
)

// dialect is Starlark with sets; without while, recursion, top-level control flow and reassignment of
// globals.
var dialect = &syntax.FileOptions{Set: true}

// loader loads the modules of one run. Loading is pure, so a module is loaded once and its globals,
// frozen, are shared by all that load it. It is for one goroutine.
type loader struct {
	reg     *registry
	sources *sources
	modules map[moduleID]*module
}

// module is a loaded module, or one that is being loaded.
type module struct {
	globals starlark.StringDict
	err     error
	loading bool
}

func newLoader(reg *registry, s *sources) *loader {
	return &loader{reg: reg, sources: s, modules: map[moduleID]*module{}}
}

// load returns the globals of a module.
func (l *loader) load(ctx context.Context, id moduleID) (starlark.StringDict, error) {
	if m := l.modules[id]; m != nil {
		if m.loading {
			return nil, fmt.Errorf("%s loads itself, through the modules that it loads", l.sources.shown(id))
		}
		return m.globals, m.err
	}
	m := &module{loading: true}
	l.modules[id] = m
	m.globals, m.err = l.execute(ctx, id)
	m.loading = false
	return m.globals, m.err
}

func (l *loader) execute(ctx context.Context, id moduleID) (globals starlark.StringDict, err error) {
	name := l.sources.shown(id)
	text, err := l.sources.read(id)
	if errors.Is(err, fs.ErrNotExist) {
		hint := diag.DidYouMean(path.Base(id.path), l.sources.siblings(id))
		return nil, &missingModule{name, hint}
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := &task{ctx: ctx, load: func(_ *starlark.Thread, target string) (starlark.StringDict, error) {
		to, err := l.sources.find(id, target)
		if err != nil {
			return nil, err
		}
		globals, err := l.load(ctx, to)
		if missing, ok := err.(*missingModule); ok {
			return nil, missing.unnamed()
		}
		return globals, err
	}}
	th, stop := newThread(t, "load "+name)
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			globals, err = nil, recovered("load "+name, p)
		}
	}()
	globals, err = starlark.ExecFileOptions(dialect, th, name, text, l.reg.predeclared)
	if err != nil {
		return nil, t.explain(err)
	}
	globals.Freeze()
	return globals, nil
}

// missingModule is a module that is not there.
type missingModule struct{ name, hint string }

func (e *missingModule) Error() string { return e.name + ": " + e.unnamed().Error() }

// unnamed is the error for where the interpreter says the name: "cannot load NAME: ".
func (e *missingModule) unnamed() error { return errors.New("there is no such module" + e.hint) }

// moduleOf returns the module at whose top level a function is.
func (l *loader) moduleOf(fn *starlark.Function) (moduleID, bool) {
	for id, m := range l.modules {
		if m.globals[fn.Name()] == fn {
			return id, true
		}
	}
	return moduleID{}, false
}

// docOf returns a module's documentation: the string that it begins with.
func docOf(text string) string {
	f, err := dialect.Parse("", text, 0)
	if err != nil || len(f.Stmts) == 0 {
		return ""
	}
	expr, ok := f.Stmts[0].(*syntax.ExprStmt)
	if !ok {
		return ""
	}
	lit, ok := expr.X.(*syntax.Literal)
	if !ok || lit.Token != syntax.STRING {
		return ""
	}
	return strings.TrimSpace(lit.Value.(string))
}
