package git

import (
	"context"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type changedArgs struct {
	repositoryArgs
	Old string `arg:"old" doc:"the commit to compare with; \"\": an empty one, so that every path is returned"`
	New string `arg:"new" doc:"the commit that is compared"`
	tokenArg
}

func changedBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "git.changed", Permission: readPermission, Returns: "list of string",
		Doc: "Lists the paths of files that two commits do not have in common, sorted: added, removed, or different in content, " +
			"mode or kind. A renamed file is there under both names, a submodule under its path.",
		Example: `rebuild = [p for p in git.changed(url, running, commit) if p.startswith("cmd/gate/")]`,
	}, func(c *runtime.Call, a changedArgs) (starlark.Value, error) {
		o, err := newOpener(c, a.Token)
		if err != nil {
			return nil, err
		}
		var list []starlark.Value
		err = o.use(a.URL, between(a.Old, a.New), func(r *repo, at []resolved) error {
			old, new := ends(at)
			paths, err := r.changed(c.Context(), old, new)
			list = make([]starlark.Value, len(paths))
			for i, p := range paths {
				list[i] = starlark.String(p)
			}
			return err
		})
		return starlark.NewList(list), err
	})
}

// changed lists the paths that differ between two commits, sorted.
func (r *repo) changed(ctx context.Context, old, new hash) ([]string, error) {
	var trees [2]hash
	for i, h := range []hash{old, new} {
		if h.IsZero() {
			continue
		}
		c, err := r.commit(h)
		if err != nil {
			return nil, err
		}
		trees[i] = c.tree
	}
	d := difference{ctx: ctx, repo: r}
	if err := d.trees(trees[0], trees[1], "", 0); err != nil {
		return nil, err
	}
	slices.Sort(d.paths)
	return d.paths, nil
}

// difference collects the paths that differ. Trees with the same hash are not looked into.
type difference struct {
	ctx   context.Context
	repo  *repo
	paths []string
}

func (d *difference) trees(old, new hash, at string, depth int) error {
	if old == new {
		return nil
	}
	if depth > maxDepth || len(d.paths) > maxEntries {
		return errTooLarge
	}
	if err := context.Cause(d.ctx); err != nil {
		return err
	}
	before, err := d.entries(old)
	if err != nil {
		return err
	}
	after, err := d.entries(new)
	if err != nil {
		return err
	}
	for name, a := range after {
		if err := d.entry(before[name], a, path.Join(at, name), depth); err != nil {
			return err
		}
	}
	for name, b := range before {
		if _, ok := after[name]; !ok {
			if err := d.entry(b, treeEntry{}, path.Join(at, name), depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry compares what two trees have under the same name; nothing is a zero entry.
func (d *difference) entry(old, new treeEntry, at string, depth int) error {
	if old.hash == new.hash && old.mode == new.mode {
		return nil
	}
	var trees [2]hash
	file := false
	for i, e := range []treeEntry{old, new} {
		switch {
		case e.mode&modeKind == modeTree:
			trees[i] = e.hash
		case e.name != "":
			file = true
		}
	}
	if file {
		d.paths = append(d.paths, at)
	}
	return d.trees(trees[0], trees[1], at, depth+1)
}

// entries returns those of a tree by name; none for a zero hash.
func (d *difference) entries(h hash) (map[string]treeEntry, error) {
	if h.IsZero() {
		return nil, nil
	}
	list, err := d.repo.tree(h)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]treeEntry, len(list))
	for _, e := range list {
		byName[e.name] = e
	}
	return byName, nil
}

// entryAt finds what a commit has at a path. If that is nothing, siblings are the names that are there instead.
func (r *repo) entryAt(h hash, name string) (found treeEntry, siblings []string, err error) {
	c, err := r.commit(h)
	if err != nil {
		return treeEntry{}, nil, err
	}
	found = treeEntry{mode: modeTree, hash: c.tree}
	for part := range strings.SplitSeq(name, "/") {
		if found.mode&modeKind != modeTree {
			return treeEntry{}, nil, nil
		}
		entries, err := r.tree(found.hash)
		if err != nil {
			return treeEntry{}, nil, err
		}
		i := slices.IndexFunc(entries, func(e treeEntry) bool { return e.name == part })
		if i < 0 {
			for _, e := range entries {
				siblings = append(siblings, e.name)
			}
			return treeEntry{}, siblings, nil
		}
		found = entries[i]
	}
	return found, nil, nil
}
