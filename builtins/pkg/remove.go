package pkg

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type removeArgs struct {
	Names runtime.Strings `arg:"names" doc:"the packages"`
	Purge bool            `arg:"purge" default:"false" doc:"whether their configuration is removed as well; a rollback does not bring that back"`
	Wait  runtime.Seconds `arg:"wait" default:"5m" doc:"how long to wait for others that use the package manager, in seconds"`
}

func removeBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.remove", Undo: runtime.Compensating, Permission: "`pkg` on each of names",
		Returns: "struct(changed, removed)",
		Doc: "Removes packages. If others need them that is an error, which names those: nothing is removed that was not named. " +
			"A rollback installs them again, in the version they had if a source still has it.",
		Example: `pkg.remove(["apache2"])`,
	}, func(c *runtime.Call, a removeArgs) (starlark.Value, error) {
		requests, err := parseRequests(a.Names)
		if err != nil {
			return nil, err
		}
		for _, r := range requests {
			if r.version != "" {
				return nil, fmt.Errorf("for parameter names: %s has a version; a package is removed whatever its version", r)
			}
		}
		return c.Do(&removing{args: a})
	})
}

// removing is the change that pkg.remove makes.
type removing struct {
	args removeArgs

	manager *manager
	there   []entry // those of the packages that are installed
}

var _ runtime.Change = (*removing)(nil)

// Describe implements runtime.Change.
func (rm *removing) Describe() runtime.Description {
	d := runtime.Description{
		Call: "pkg.remove", Target: strings.Join(rm.args.Names, ", "), Undo: runtime.Compensating, UndoNote: "installs them again",
	}
	for _, name := range rm.args.Names {
		d.Needs = append(d.Needs, policy.Need{Kind: permissionKind, Target: name})
	}
	return d
}

// Probe implements runtime.Change.
func (rm *removing) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	m, d, err := look(ctx, r)
	if err != nil {
		return runtime.Finding{}, err
	}
	rm.manager = m
	for _, e := range d.entries {
		named := slices.Contains(rm.args.Names, e.Name) || slices.Contains(rm.args.Names, e.key())
		if named && (e.there() || rm.args.Purge) {
			rm.there = append(rm.there, e)
		}
	}
	if len(rm.there) == 0 {
		return runtime.Finding{Summary: "not installed", Value: rm.value(false)}, nil
	}
	if err := needRoot(); err != nil {
		return runtime.Finding{}, err
	}
	found := runtime.Finding{Needed: true, Summary: "remove " + strings.Join(rm.names(), ", ")}
	if slices.ContainsFunc(rm.there, func(e entry) bool { return e.Version == unknownVersion || e.Arch == "" && m == &apt }) {
		found.Assumed = "nothing else needs " + strings.Join(rm.names(), ", ") // it would only be installed by this run
		return found, nil
	}
	return found, m.onlyThese(ctx, readerLooker(r), rm.names(), rm.args.Purge)
}

// onlyThese fails if the removal of packages would remove others as well.
func (m *manager) onlyThese(ctx context.Context, l looker, names []string, purge bool) error {
	out, err := l.ask(ctx, m.simulateRemove(names, purge), m.env)
	if err != nil {
		return fmt.Errorf("something else may need them: %w", err)
	}
	return othersRemoved(out, names)
}

// othersRemoved fails if a simulation removes more than packages of these names.
func othersRemoved(simulation string, names []string) error {
	var others []string
	for _, s := range parseSimulation(simulation) {
		if s.removed && !slices.Contains(names, s.name) {
			others = append(others, s.name)
		}
	}
	if len(others) > 0 {
		return fmt.Errorf("%s would go as well, since it needs what is to be removed; name it too, if that is meant", strings.Join(others, ", "))
	}
	return nil
}

func (rm *removing) names() []string { return entryNames(rm.there) }

// Undo implements runtime.Change.
func (rm *removing) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	args := removeUndo{Manager: rm.manager.name}
	for _, e := range rm.there {
		if e.Condition == installed {
			args.Packages = append(args.Packages, e)
		}
	}
	return &runtime.Undo{Kind: removeKind, Args: args, Note: "installs " + strings.Join(rm.names(), ", ") + " again"}, nil
}

// Apply implements runtime.Change.
func (rm *removing) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x := newWorker(w, rm.manager, rm.args.Wait.Duration)
	return runtime.Applied{Value: rm.value(true)}, x.remove(ctx, rm.names(), rm.args.Purge)
}

// Predict implements runtime.Change.
func (rm *removing) Predict(w *runtime.World) (starlark.Value, error) {
	for _, name := range rm.names() {
		predicted(w).remove(name)
	}
	return rm.value(true), nil
}

func (rm *removing) value(changed bool) starlark.Value {
	return structOf(starlark.StringDict{"changed": starlark.Bool(changed), "removed": stringList(rm.names())})
}
