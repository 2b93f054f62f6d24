package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/infrarun/infrarun/runtime/diag"
)

const (
	// maxEntries bounds a tree: a few small objects can describe billions of files.
	maxEntries = 500_000
	maxDepth   = 200
)

// entry is a file, link or directory of a snapshot.
type entry struct {
	name     string
	mode     fs.FileMode
	hash     hash     // of the content; of nothing for a directory
	from     *repo    // where the content is
	data     []byte   // the content of what is in no repository
	children []*entry // of a directory, by name
}

// snapshot is the tree of a commit with those of its submodules: what a checkout writes.
type snapshot struct {
	root       *entry
	when       time.Time // of the commit; the time that its files get
	files      int       // files and links
	submodules map[string]string

	repos   []*repo // what the contents are read from
	entries int
}

// close lets go of the repositories: contents cannot be read any more.
func (s *snapshot) close() {
	for _, r := range s.repos {
		r.Close()
	}
}

// loader reads trees into a snapshot. Contents are not read.
type loader struct {
	ctx   context.Context
	snap  *snapshot
	trees map[hash][]treeEntry // those read so far: a tree can stand in many places
	// open returns the repository of a submodule, nil if submodules are left out.
	open func(r *repo, m submodule, commit hash) (*repo, source, error)
}

// load adds the tree of a commit, or only the directory subdir of it, below dir, the path in the snapshot.
func (l *loader) load(into *entry, r *repo, src source, h hash, dir, subdir string) error {
	c, err := r.commit(h)
	if err != nil {
		return err
	}
	modules, err := r.submodules(c.tree, src)
	if err != nil {
		return err
	}
	tree := c.tree
	if subdir != "" {
		found, siblings, err := r.entryAt(h, subdir)
		if err != nil {
			return err
		}
		if found.mode&modeKind != modeTree {
			return fmt.Errorf("%s has no directory %s%s", r.where, subdir, diag.DidYouMean(path.Base(subdir), siblings))
		}
		tree = found.hash
	}
	return l.directory(into, r, modules, tree, dir, subdir)
}

// directory adds the entries of a tree. At is the path in the snapshot, within the one in its repository, which is
// what .gitmodules speaks of.
func (l *loader) directory(into *entry, r *repo, modules map[string]submodule, tree hash, at, within string) error {
	if err := context.Cause(l.ctx); err != nil {
		return err
	}
	if strings.Count(at, "/") > maxDepth {
		return fmt.Errorf("%s has directories that lie deeper than %d others", r.where, maxDepth)
	}
	entries, ok := l.trees[tree]
	if !ok {
		var err error
		if entries, err = r.tree(tree); err != nil {
			return err
		}
		l.trees[tree] = entries
	}
	if l.snap.entries += len(entries); l.snap.entries > maxEntries {
		return fmt.Errorf("%s: the tree has more than %d entries", r.where, maxEntries)
	}
	for _, te := range entries {
		e := &entry{name: te.name, mode: te.fileMode(), from: r}
		into.children = append(into.children, e)
		in, inside := path.Join(at, te.name), path.Join(within, te.name)
		var err error
		switch te.mode & modeKind {
		case modeTree:
			err = l.directory(e, r, modules, te.hash, in, inside)
		case modeSubmodule:
			err = l.submodule(e, r, modules, te.hash, in, inside)
		default:
			e.hash = te.hash
			l.snap.files++
		}
		if err != nil {
			return err
		}
	}
	slices.SortFunc(into.children, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
	return nil
}

// submodule adds the tree of another repository, at the commit that this one records.
func (l *loader) submodule(into *entry, r *repo, modules map[string]submodule, h hash, at, within string) error {
	if l.open == nil {
		return nil // left out: an empty directory, as git leaves it
	}
	m, ok := modules[within]
	if !ok {
		return fmt.Errorf("%s: the submodule %s has no entry in .gitmodules; add it, or pass submodules = False", r.where, within)
	}
	sub, src, err := l.open(r, m, h)
	if err != nil {
		return fmt.Errorf("submodule %s: %w", at, err)
	}
	l.snap.repos = append(l.snap.repos, sub)
	l.snap.submodules[at] = h.String()
	if err := l.load(into, sub, src, h, at, ""); err != nil {
		return fmt.Errorf("submodule %s: %w", at, err)
	}
	return nil
}

// find returns the entry at a path, "." for the root.
func (s *snapshot) find(name string) (*entry, error) {
	e := s.root
	if name == "." {
		return e, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		i, ok := slices.BinarySearchFunc(e.children, part, func(c *entry, name string) int { return strings.Compare(c.name, name) })
		if !ok {
			return nil, fs.ErrNotExist
		}
		e = e.children[i]
	}
	return e, nil
}

// add puts a file at the top that no commit has.
func (s *snapshot) add(name string, mode fs.FileMode, data []byte) error {
	if _, err := s.find(name); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the commit has a file %s, which is the name of what git.checkout writes about itself", name)
	}
	s.root.children = append(s.root.children, &entry{name: name, mode: mode, data: data})
	slices.SortFunc(s.root.children, func(a, b *entry) int { return strings.Compare(a.name, b.name) })
	return nil
}

// each calls fn for every entry but the root, directories before what they hold.
func (s *snapshot) each(fn func(name string, e *entry) error) error {
	var walk func(dir string, e *entry) error
	walk = func(dir string, e *entry) error {
		for _, c := range e.children {
			name := path.Join(dir, c.name)
			if err := fn(name, c); err != nil {
				return err
			}
			if err := walk(name, c); err != nil {
				return err
			}
		}
		return nil
	}
	return walk("", s.root)
}
