package pkg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type checkArgs struct {
	Names   runtime.Strings `arg:"names" doc:"the packages, each perhaps with a version as in \"nodejs=18.*\""`
	Timeout runtime.Seconds `arg:"timeout" default:"2m" doc:"how long it may take, in seconds"`
}

func checkBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.check", Returns: "list of string: the problems; empty if all is well",
		Doc: "Tells whether pkg.install could get the packages that are missing: whether the sources of packages answer and are " +
			"trusted, and have what is asked for. Nothing changes on the machine, so a preview asks as well. With lists of packages " +
			"that are older than an hour the machine's own package manager fetches new ones, with its own sources, proxies and keys, " +
			"into infrarun's cache, from where they are removed. Nobody's locks matter. With younger lists, or if nothing is " +
			"missing, no source is asked.\n\n" +
			"A problem names the source or the package, and says what the package manager said. A timeout is a problem, too. " +
			"Only apt and dnf can do this; with the others, and where a preview has predicted other sources, it is assumed that all " +
			"is well.",
		Example: "problems = pkg.check([\"git\", \"jq\"])\nif problems:\n    fail(\"packages cannot be installed: \" + problems[0])",
	}, func(c *runtime.Call, a checkArgs) (starlark.Value, error) {
		requests, err := parseRequests(a.Names)
		if err != nil {
			return nil, err
		}
		if a.Timeout.Duration <= 0 {
			return nil, fmt.Errorf("for parameter timeout: got %v, want more than 0", a.Timeout.Duration)
		}
		problems, err := check(c, requests, time.Now().Add(a.Timeout.Duration))
		return stringList(problems), err
	})
}

// check returns what keeps the missing ones of the packages from being installed.
func check(c *runtime.Call, requests []request, until time.Time) ([]string, error) {
	ctx, r := c.Context(), c.Reader()
	m, d, err := look(ctx, r)
	if err != nil {
		return nil, err
	}
	q := inquiry{m, readerLooker(r), d.missing(requests), until, nil}
	if len(q.missing) == 0 {
		return nil, nil
	}
	v := filesys.Read(r)
	if young, err := realListsYoung(ctx, r, v, m); err != nil {
		return nil, err
	} else if young {
		return q.candidates(ctx, c.Assume)
	}
	if why, err := untestable(ctx, v, m); err != nil {
		return nil, err
	} else if why != "" {
		c.Assume("%s can be installed: %s", strings.Join(requestNames(q.missing), ", "), why)
		return nil, nil
	}
	var problems []string
	err = tryouts(r).With(func(dir string) error {
		place := m.elsewhere(dir)
		if err := prepare(ctx, dir, place); err != nil {
			return err
		}
		q.options = place.options
		problems, err = q.tryOut(ctx, place, c.Assume)
		return err
	})
	return problems, err
}

// realListsYoung reports whether the lists on the machine are young enough for an installation. What a preview would have
// fetched by then is not there.
func realListsYoung(ctx context.Context, r *runtime.Reader, v *filesys.View, m *manager) (bool, error) {
	if !predicted(r.World()).refreshTime().IsZero() {
		return false, nil
	}
	lists, err := freshnessOf(ctx, r, v, m)
	return lists.young(listAge), err
}

// untestable says why the sources cannot be tried, "" if they can.
func untestable(ctx context.Context, v *filesys.View, m *manager) (string, error) {
	if m.elsewhere == nil {
		return m.name + " cannot try its sources of packages without changing its lists", nil
	}
	for _, pattern := range m.sources {
		paths, err := v.Glob(ctx, pattern)
		if err != nil {
			return "", err
		}
		if i := slices.IndexFunc(paths, v.Predicted); i >= 0 {
			return "it will be from other sources of packages, with the new " + paths[i], nil
		}
	}
	return "", nil
}

// inquiry asks a manager about packages, with options that say where its lists are.
type inquiry struct {
	manager *manager
	looker  looker
	missing []request
	until   time.Time
	options []string
}

// run runs a command of the manager that changes nothing but what the options name.
func (q inquiry) run(ctx context.Context, argv []string) (child.Result, error) {
	argv = slices.Insert(slices.Clone(argv), 1, q.options...)
	left := max(time.Millisecond, time.Until(q.until)) // 0 would be for ever
	result, err := q.looker.run(ctx, child.Spec{Argv: argv, Env: q.manager.env, Timeout: left})
	if err != nil {
		err = fmt.Errorf("%s: %w", child.Quote(argv), err)
	}
	return result, err
}

// tryOut fetches lists to where the options say, and looks for the packages in them. The manager may be set up to do without
// a source that fails: that is told only if there is a package that no other source has.
func (q inquiry) tryOut(ctx context.Context, place elsewhere, assume assumer) ([]string, error) {
	problems, usable, err := q.fetch(ctx, place)
	if err != nil || !usable {
		return problems, err
	}
	absent, err := q.candidates(ctx, assume)
	if err != nil || len(absent) == 0 {
		return nil, err
	}
	return append(problems, absent...), nil
}

// fetch fetches lists. It returns what is wrong with sources, and whether the lists can be used all the same.
func (q inquiry) fetch(ctx context.Context, place elsewhere) (problems []string, usable bool, err error) {
	result, err := q.run(ctx, q.manager.update(time.Second))
	problems = place.problems(result.Stdout + "\n" + result.Stderr)
	var slow *child.TimeoutError
	switch {
	case errors.As(err, &slow):
		problems = append(problems, fmt.Sprintf("the sources of packages were not fetched within %v; "+
			"see which one is slow, or give a larger timeout", slow.After.Round(time.Millisecond)))
	case isExit(err) && len(problems) == 0:
		problems = []string{err.Error()}
	case err != nil && !isExit(err):
		return nil, false, err
	}
	if len(problems) > 0 && place.entries != nil {
		// Where that fails, what is wrong is the files of sources themselves, and the problem names them.
		if known, err := q.run(ctx, place.entries); err == nil {
			nameFiles(problems, known.Stdout)
		}
	}
	return brief(problems), err == nil, nil
}

// assumer tells what is taken for granted.
type assumer func(format string, args ...any)

// candidates tells which of the missing packages no source has.
func (q inquiry) candidates(ctx context.Context, assume assumer) ([]string, error) {
	if simulate := q.manager.simulate; simulate != nil {
		result, err := q.run(ctx, simulate(installOptions{requests: q.missing, recommends: true, pin: q.manager.pin}))
		if !isExit(err) {
			return nil, err
		}
		problems := parseRefusal(result.Stdout + "\n" + result.Stderr)
		if len(problems) == 0 {
			problems = []string{err.Error()}
		}
		return brief(problems), nil
	}
	var problems []string
	for _, r := range q.missing {
		result, err := q.run(ctx, q.manager.available(r.name))
		if err != nil && !isExit(err) {
			return nil, err
		}
		switch version := q.manager.parseAvailable(result.Stdout, r.name); {
		case err != nil || version == "":
			problems = append(problems, "no source of packages has "+r.name)
		case !r.satisfied(version):
			assume("a source of packages has %s, beside the version %s that would be installed otherwise", r, version)
		}
	}
	return brief(problems), nil
}
