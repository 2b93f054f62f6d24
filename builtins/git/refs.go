package git

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

const (
	branches = "refs/heads/"
	tags     = "refs/tags/"
	remotes  = "refs/remotes/"
)

// resolved is a commit and the name it was found by.
type resolved struct {
	commit hash
	ref    string // main, v1.2.0, refs/pull/12/head; "" if it was named by its hash
	kind   string // branch, tag or commit
}

// refs returns what every reference but HEAD points to, by full name.
func (r *repo) refs() (map[string]hash, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	iter, err := r.stores[0].IterReferences()
	if err != nil {
		return nil, &damage{r.where, fmt.Errorf("read its references: %w", err)}
	}
	refs := map[string]hash{}
	err = iter.ForEach(func(ref *plumbing.Reference) error {
		if ref.Type() == plumbing.HashReference && ref.Name() != plumbing.HEAD {
			refs[ref.Name().String()] = ref.Hash()
		}
		return nil
	})
	return refs, err
}

// resolve finds the commit that a name stands for: HEAD, a branch, a tag, a full reference, or a commit by its
// hash or an unambiguous beginning of it.
func (r *repo) resolve(name string) (resolved, error) {
	if name == "" || name == "HEAD" {
		return r.head()
	}
	if isHash(name) {
		h := plumbing.NewHash(name)
		there, err := r.has(h)
		if err == nil && !there {
			err = &unknownRef{name, r.where, ""}
		}
		if err != nil {
			return resolved{}, err
		}
		return r.named(h, "", "commit")
	}
	refs, err := r.refs()
	if err != nil {
		return resolved{}, err
	}
	if found, err := r.byName(refs, name); err != nil || !found.commit.IsZero() {
		return found, err
	}
	if len(name) >= 4 && isHex(name) {
		if found, err := r.byPrefix(name); err != nil || !found.commit.IsZero() {
			return found, err
		}
	}
	return resolved{}, &unknownRef{name, r.where, hint(name, refs)}
}

func (r *repo) byName(refs map[string]hash, name string) (resolved, error) {
	if strings.HasPrefix(name, "refs/") {
		h, ok := refs[name]
		switch {
		case !ok:
			return resolved{}, nil
		case strings.HasPrefix(name, branches):
			return r.named(h, name[len(branches):], "branch")
		case strings.HasPrefix(name, tags):
			return r.named(h, name[len(tags):], "tag")
		}
		return r.named(h, name, "commit")
	}
	branch, isBranch := refs[branches+name]
	tag, isTag := refs[tags+name]
	if isBranch && isTag && branch != tag {
		return resolved{}, fmt.Errorf("%s has a branch and a tag %s; write %s%s or %s%s", r.where, name, branches, name, tags, name)
	}
	switch remote, isRemote := refs[remotes+name]; {
	case isBranch:
		return r.named(branch, name, "branch")
	case isTag:
		return r.named(tag, name, "tag")
	case isRemote:
		return r.named(remote, name, "branch")
	}
	return resolved{}, nil
}

// head resolves HEAD: the default branch of a remote repository, what is checked out in a local one.
func (r *repo) head() (resolved, error) {
	r.mu.Lock()
	ref, err := r.stores[0].Reference(plumbing.HEAD)
	r.mu.Unlock()
	if err != nil {
		return resolved{}, &damage{r.where, fmt.Errorf("read its HEAD: %w", err)}
	}
	if ref.Type() == plumbing.HashReference {
		return r.named(ref.Hash(), "", "commit")
	}
	r.mu.Lock()
	target, err := r.stores[0].Reference(ref.Target())
	r.mu.Unlock()
	branch := ref.Target().Short()
	if errors.Is(err, plumbing.ErrReferenceNotFound) || errors.Is(err, fs.ErrNotExist) {
		return resolved{}, fmt.Errorf("%s has no commit on its default branch %s (yet)", r.where, branch)
	} else if err != nil {
		return resolved{}, &damage{r.where, fmt.Errorf("read its branch %s: %w", branch, err)}
	}
	return r.named(target.Hash(), branch, "branch")
}

// named follows annotated tags to the commit.
func (r *repo) named(h hash, ref, kind string) (resolved, error) {
	c, err := r.peel(h)
	if err != nil {
		return resolved{}, err
	}
	return resolved{c, ref, kind}, nil
}

// peel returns the commit that an object is, or that a tag points to.
func (r *repo) peel(h hash) (hash, error) {
	for range 10 {
		typ, data, err := r.read(h)
		if err != nil {
			return hash{}, err
		}
		switch typ {
		case plumbing.CommitObject:
			return h, nil
		case plumbing.TagObject:
			target, _, _, err := parseTag(data)
			if err != nil {
				return hash{}, &damage{r.where, fmt.Errorf("tag %s: %w", h, err)}
			}
			h = target
		default:
			return hash{}, fmt.Errorf("%s in %s is a %s, not a commit", h, r.where, typ)
		}
	}
	return hash{}, fmt.Errorf("tag %s in %s points to too many other tags", h, r.where)
}

// byPrefix finds the one commit whose hash begins so.
func (r *repo) byPrefix(prefix string) (resolved, error) {
	var found []hash
	even := plumbing.NewHash(prefix[:len(prefix)&^1] + strings.Repeat("0", 40-len(prefix)&^1))
	r.mu.Lock()
	for _, s := range r.stores {
		hashes, err := s.HashesWithPrefix(even[:len(prefix)/2])
		if err != nil {
			r.mu.Unlock()
			return resolved{}, &damage{r.where, err}
		}
		found = append(found, hashes...)
	}
	r.mu.Unlock()
	var commits []hash
	for _, h := range found {
		if !strings.HasPrefix(h.String(), prefix) || slices.Contains(commits, h) {
			continue
		}
		typ, _, err := r.read(h)
		if err != nil {
			return resolved{}, err
		}
		if typ == plumbing.CommitObject {
			commits = append(commits, h)
		}
	}
	switch len(commits) {
	case 0:
		return resolved{}, nil
	case 1:
		return resolved{commits[0], "", "commit"}, nil
	}
	return resolved{}, fmt.Errorf("%d commits of %s begin with %s; give more of the hash", len(commits), r.where, prefix)
}

// nameOf returns a branch, else a tag, that points to a commit, "" if none does.
func (r *repo) nameOf(h hash) (string, error) {
	refs, err := r.refs()
	if err != nil {
		return "", err
	}
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if branch, ok := strings.CutPrefix(name, branches); ok && refs[name] == h {
			return branch, nil
		}
	}
	tagged, err := r.tagged(refs)
	if err != nil {
		return "", err
	}
	return tagged[h].name, nil
}
