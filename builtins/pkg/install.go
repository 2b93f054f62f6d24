package pkg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type installArgs struct {
	Names      runtime.Strings `arg:"names" doc:"the packages, each perhaps with a version as in \"nodejs=18.*\""`
	Update     bool            `arg:"update" default:"true" doc:"whether the lists of packages are fetched before, if something is to be installed and they are older than an hour"`
	Recommends bool            `arg:"recommends" default:"true" doc:"whether what packages recommend is installed with them"`
	Undo       string          `arg:"undo" default:"keep" doc:"what a rollback does with the packages that this brings: keep or remove"`
	Provides   runtime.Strings `arg:"provides" default:"" doc:"files that the packages bring, such as /usr/bin/git, for a preview to find"`
	Wait       runtime.Seconds `arg:"wait" default:"5m" doc:"how long to wait for others that use the package manager, in seconds"`
	Timeout    runtime.Seconds `arg:"timeout" default:"30m" doc:"how long the installation may take, in seconds"`
}

func installBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.install", Undo: runtime.Compensating, Permission: "`pkg` on each of names",
		Returns: "struct(changed, installed): installed are those of names that were missing",
		Doc: "Installs the packages that are missing. Those that are there are not upgraded, unless another version is asked for; " +
			"nothing is removed for them, and nothing is asked: a configuration file that was changed stays. If another process " +
			"uses the package manager it is waited for.\n\n" +
			"What comes with the packages is recorded. A rollback keeps all of it, and says so and how to remove it; " +
			"infrarun rollback --remove-packages removes it with its configuration, and with undo = \"remove\" so does every " +
			"rollback. What was upgraded on the way stays upgraded.",
		Example: `pkg.install(["git", "jq"], provides = ["/usr/bin/git", "/usr/bin/jq"])`,
	}, func(c *runtime.Call, a installArgs) (starlark.Value, error) {
		requests, err := parseRequests(a.Names)
		if err != nil {
			return nil, err
		}
		if a.Undo != "keep" && a.Undo != "remove" {
			return nil, fmt.Errorf("for parameter undo: got %q, want keep or remove", a.Undo)
		}
		for _, path := range a.Provides {
			if !strings.HasPrefix(path, "/") {
				return nil, fmt.Errorf("for parameter provides: %q is no absolute path", path)
			}
		}
		return c.Do(&installing{args: a, requests: requests})
	})
}

// listAge is how old the lists of packages may be for an installation.
const listAge = time.Hour

// installing is the change that pkg.install makes.
type installing struct {
	args     installArgs
	requests []request

	// What Probe has found.
	manager *manager
	missing []request
	refresh bool   // the lists of packages are to be fetched first
	stamp   string // of that
	steps   []step // what the manager would do, where that is known
	before  []entry
	record  string // where what is brought is noted for the undo
}

var _ runtime.Change = (*installing)(nil)

// Describe implements runtime.Change.
func (in *installing) Describe() runtime.Description {
	d := runtime.Description{Call: "pkg.install", Target: strings.Join(in.args.Names, ", "), Undo: runtime.Compensating}
	for _, r := range in.requests {
		d.Needs = append(d.Needs, policy.Need{Kind: permissionKind, Target: r.name})
	}
	if in.args.Undo == "remove" {
		d.UndoNote = "removes the packages that this brings"
	} else {
		d.UndoNote = "keeps the packages; infrarun rollback --remove-packages removes them"
	}
	return d
}

// Probe implements runtime.Change.
func (in *installing) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	none := runtime.Finding{}
	m, d, err := look(ctx, r)
	if err != nil {
		return none, err
	}
	in.manager, in.before, in.missing = m, d.entries, d.missing(in.requests)
	if len(in.missing) == 0 {
		return runtime.Finding{Summary: "installed: " + versionsOf(d, in.requests), Value: in.value(false)}, nil
	}
	if err := needRoot(); err != nil {
		return none, err
	}
	lists, err := freshnessOf(ctx, r, filesys.Read(r), m)
	if err != nil {
		return none, err
	}
	in.stamp = stampOf(r, m)
	in.refresh = in.args.Update && !lists.young(listAge)
	found := runtime.Finding{Needed: true, Summary: "install " + strings.Join(requestNames(in.missing), ", ")}
	err = in.simulate(ctx, r)
	switch {
	case err == nil:
		found.Diff = stepLines(in.steps)
	case isExit(err) && (in.refresh || r.Preview() && !predicted(r.World()).refreshTime().IsZero()):
		found.Assumed = fmt.Sprintf("%s can be installed when the lists of packages are fetched", strings.Join(requestNames(in.missing), ", "))
	default:
		return none, err
	}
	return found, nil
}

// simulate asks the manager what it would do.
func (in *installing) simulate(ctx context.Context, r *runtime.Reader) error {
	if in.manager.simulate == nil {
		return nil
	}
	out, err := readerLooker(r).ask(ctx, in.manager.simulate(in.options(in.args.Wait.Duration)), in.manager.env)
	if err != nil {
		return err
	}
	in.steps = parseSimulation(out)
	if i := slices.IndexFunc(in.steps, func(s step) bool { return s.removed }); i >= 0 {
		return errors.New("it would remove " + in.steps[i].name + ", which an installation does not; remove that first with pkg.remove, if that is meant")
	}
	return nil
}

func (in *installing) options(wait time.Duration) installOptions {
	return installOptions{requests: in.missing, recommends: in.args.Recommends, wait: wait, pin: in.manager.pin}
}

func stepLines(steps []step) string {
	lines := make([]string, len(steps))
	for i, s := range steps {
		lines[i] = s.String() + "\n"
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func versionsOf(d database, requests []request) string {
	parts := make([]string, len(requests))
	for i, r := range requests {
		parts[i] = r.name + " " + d.version(r.name)
	}
	return strings.Join(parts, ", ")
}

// Apply implements runtime.Change.
func (in *installing) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	came, err := newWorker(w, in.manager, in.args.Wait.Duration).install(ctx, in)
	return runtime.Applied{Value: in.value(true), After: installLeft{came}}, err
}

// installLeft is noted in the journal: what an installation brought.
type installLeft struct {
	Brought []entry `json:"brought"`
}

// Predict implements runtime.Change.
func (in *installing) Predict(w *runtime.World) (starlark.Value, error) {
	over := predicted(w)
	if in.refresh {
		over.refresh()
	}
	for _, r := range in.missing {
		version := ""
		if i := slices.IndexFunc(in.steps, func(s step) bool { return s.name == r.name }); i >= 0 {
			version = in.steps[i].version
		}
		over.install(r.name, version)
	}
	for _, s := range in.steps {
		over.install(s.name, s.version)
	}
	return in.value(true), in.predictFiles(w)
}

// predictFiles enters the files that the recipe says the packages bring.
func (in *installing) predictFiles(w *runtime.World) error {
	files := filesys.Predicted(w)
	for _, path := range in.args.Provides {
		if err := files.Opaque(path, "from the packages "+strings.Join(requestNames(in.missing), ", ")); err != nil {
			return err
		}
		if err := files.Chmod(path, 0o755); err != nil {
			return err
		}
	}
	return nil
}

func (in *installing) value(changed bool) starlark.Value {
	return structOf(starlark.StringDict{"changed": starlark.Bool(changed), "installed": stringList(requestNames(in.missing))})
}
