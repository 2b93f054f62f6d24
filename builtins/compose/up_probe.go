package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// Probe implements [runtime.Change].
func (u *up) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	e, err := engine.Look(ctx, r)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	if err := u.probeFile(filesys.Read(r)); err != nil {
		return runtime.Finding{}, err
	}
	u.plan, u.running, err = makePlan(ctx, r, e, planner{
		project: u.project, hashes: u.canonical.hashes, selected: u.selected, orphans: u.orphans,
	})
	if err != nil {
		return runtime.Finding{}, err
	}
	if u.dirs, err = u.missingDirs(e, filesys.Read(r)); err != nil {
		return runtime.Finding{}, err
	}
	if len(u.plan.steps) == 0 && (!u.stale || u.plan.same == 0) {
		return runtime.Finding{Summary: fmt.Sprintf("%d containers are as wanted", u.plan.same), Value: u.value(false)}, nil
	}
	if u.cli, err = findCLI(ctx, r, e); err != nil {
		return runtime.Finding{}, err
	}
	if err := u.cli.leavesOut(u.project); err != nil {
		return runtime.Finding{}, err
	}
	if err := u.cli.check(ctx, r, u.project.Name, u.canonical.text); err != nil {
		return runtime.Finding{}, err
	}
	guessed := u.plan.guessed
	if r.Preview() && u.wait && len(u.plan.steps) > 0 {
		guessed = append(guessed, "that the containers come up")
	}
	return runtime.Finding{Needed: true, Summary: u.summary(), Diff: u.diff(), Assumed: assumptions(e, u.cli, guessed...)}, nil
}

// probeFile looks at the resolved project that is there.
func (u *up) probeFile(v *filesys.View) error {
	info, err := v.Lstat(u.resolved)
	u.there = err == nil
	u.stale = true
	var unknown *runtime.UnknownError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.As(err, &unknown): // whatever a preview cannot know of it, it is written
		return nil
	case err != nil:
		return err
	case info.Kind != filesys.File:
		return fmt.Errorf("%s is a %s, not a file: give another path with resolved = \"…\"", u.resolved, info.Kind)
	case info.Known() != nil:
		return nil
	}
	old, err := v.ReadFile(u.resolved, maxResolved)
	u.stale = err != nil || !bytes.Equal(old, u.canonical.text) || info.Mode != resolvedMode
	return nil
}

// maxResolved is how large a resolved project may be, in bytes.
const maxResolved = 16 << 20

// summary counts what is to be done.
func (u *up) summary() string {
	counts := map[act]int{}
	for _, s := range u.plan.steps {
		counts[s.act]++
	}
	var parts []string
	for _, a := range []act{create, recreate, start, remove} {
		if counts[a] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", a, counts[a]))
		}
	}
	if len(parts) == 0 {
		parts = []string{"write " + u.resolved}
	}
	if u.plan.same > 0 {
		parts = append(parts, fmt.Sprintf("%d stay", u.plan.same))
	}
	return fmt.Sprintf("%s, by %s", strings.Join(parts, ", "), u.cli)
}

// diff lists what is to be done, a line a directory or container.
func (u *up) diff() string {
	var text strings.Builder
	for _, dir := range u.dirs {
		fmt.Fprintf(&text, "+ directory %s, which the engine makes\n", dir)
	}
	for _, s := range u.plan.steps {
		sign := map[act]string{create: "+", remove: "-"}[s.act]
		if sign == "" {
			sign = "~"
		}
		fmt.Fprintf(&text, "%s %s\n", sign, s)
	}
	return text.String()
}
