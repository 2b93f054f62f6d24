package git

import (
	"context"
	"fmt"
	"io/fs"
	"path"
)

// load reads which files the commit has, its submodules' too.
func (ch *checkout) load(ctx context.Context) error {
	src, err := ch.opener.source(ch.args.URL)
	if err != nil {
		return err
	}
	return ch.opener.distrust(ch.opener.repairing(src, func() error { return ch.loadFrom(ctx, src) }))
}

func (ch *checkout) loadFrom(ctx context.Context, src source) (err error) {
	r, at, err := ch.opener.at(src, []string{ch.args.Commit})
	if err != nil {
		return err
	}
	snap := &snapshot{root: &entry{mode: fs.ModeDir | 0o755}, repos: []*repo{r}, submodules: map[string]string{}}
	defer func() {
		if err != nil {
			snap.close()
		}
	}()
	h := at[0].commit
	c, err := r.commit(h)
	if err != nil {
		return err
	}
	snap.when = c.committed
	l := loader{ctx: ctx, snap: snap, trees: map[hash][]treeEntry{}}
	if ch.args.Submodules {
		l.open = ch.opener.submodule
	}
	subdir := path.Clean("/" + ch.args.Subdir)[1:]
	if err := l.load(snap.root, r, src, h, "", subdir); err != nil {
		return err
	}
	made := release{URL: src.text, Commit: h.String(), Subdir: subdir, Files: snap.files, Submodules: snap.submodules}
	data, err := made.encode()
	if err != nil {
		return err
	}
	if err := snap.add(releaseFile, 0o644, data); err != nil {
		return err
	}
	title, err := titleOf(r, at[0], c)
	if err != nil {
		return err
	}
	ch.snap, ch.made, ch.title = snap, made, title
	return nil
}

// titleOf names a commit to a person: main (3f2a9c1 fix the gate).
func titleOf(r *repo, at resolved, c *commit) (string, error) {
	name := at.ref
	if name == "" {
		var err error
		if name, err = r.nameOf(c.hash); err != nil {
			return "", err
		}
	}
	if name == "" {
		return fmt.Sprintf("%s (%s)", short(c.hash), c.subject), nil
	}
	return fmt.Sprintf("%s (%s %s)", name, short(c.hash), c.subject), nil
}
