package git

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/infrarun/infrarun/runtime/events"
)

// maxHaves is how many commits are named to a server as already here.
const maxHaves = 256

// fetcher brings a mirror up to date.
type fetcher struct {
	remote
	mirror *mirror
	show   func(events.Bar)
	warn   func(string)
}

// update asks the remote repository for its references and fetches what the mirror lacks: all branches and tags,
// and what want names beside them, a reference or a commit.
func (f fetcher) update(ctx context.Context, want string) error {
	unlock, err := f.mirror.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	dir, err := f.mirror.current()
	if err != nil {
		return err
	}
	f.mirror.tidy(dir)
	if dir != "" && f.usable(dir) {
		return f.fetch(ctx, dir, want)
	}
	return f.renew(ctx, dir, want)
}

// usable reports whether a copy can be added to.
func (f fetcher) usable(dir string) bool {
	r, err := f.mirror.open()
	if err == nil {
		r.Close()
		var packs []string
		packs, err = packFiles(dir)
		if err == nil && len(packs) >= maxPacks {
			return false
		}
	}
	if err != nil {
		f.warn(fmt.Sprintf("%v; it is fetched anew", err))
	}
	return err == nil
}

// renew fetches everything into a new copy, which then replaces the old one.
func (f fetcher) renew(ctx context.Context, old, want string) error {
	dir, err := f.mirror.create()
	if err != nil {
		return err
	}
	err = f.fetch(ctx, dir, want)
	if err == nil {
		err = f.mirror.publish(dir)
	}
	if err != nil {
		f.mirror.discard(dir)
		return err
	}
	if old != "" {
		f.mirror.retire(old)
	}
	return nil
}

// rebuild replaces a copy in which an object turned out to be damaged.
func (f fetcher) rebuild(ctx context.Context, want string) error {
	unlock, err := f.mirror.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := f.mirror.current()
	if err != nil {
		return err
	}
	return f.renew(ctx, old, want)
}

// fetch brings one copy up to date. The lock is held.
func (f fetcher) fetch(ctx context.Context, dir, want string) (err error) {
	defer func() {
		var damaged *damage
		if !errors.As(err, &damaged) {
			err = f.explain(ctx, err)
		}
	}()
	session, err := f.session(ctx)
	if err != nil {
		return err
	}
	defer session.Close()
	adv, err := session.AdvertisedReferencesContext(ctx)
	if err != nil {
		return err
	}
	refs, head := choose(adv, want)
	copied, err := openRepo(f.src.text, bare(dir))
	if err != nil {
		return err
	}
	defer copied.Close()
	wants, err := missing(copied, adv, refs, want)
	if err != nil {
		return err
	}
	if len(wants) > 0 {
		haves, err := copied.newest(ctx, maxHaves)
		if err != nil {
			return err
		}
		if err := f.fetchPack(ctx, session, adv, wants, haves, dir); err != nil {
			return err
		}
	}
	return f.mirror.setRefs(dir, refs, head)
}

// choose returns the references that a mirror keeps, and what its HEAD is.
func choose(adv *packp.AdvRefs, want string) (refs map[string]hash, head string) {
	refs = map[string]hash{}
	for name, h := range adv.References {
		kept := strings.HasPrefix(name, branches) || strings.HasPrefix(name, tags) || name == want
		if kept && strings.HasPrefix(name, "refs/") && !strings.ContainsAny(name, " \n") {
			refs[name] = h
		}
	}
	for _, symref := range adv.Capabilities.Get(capability.SymRef) {
		if target, ok := strings.CutPrefix(symref, "HEAD:"); ok && plumbing.ReferenceName(target).IsSafe() {
			return refs, "ref: " + target
		}
	}
	if adv.Head == nil {
		return refs, ""
	}
	// An old server does not say which branch HEAD is: the likeliest of those that point to the same commit.
	for _, name := range []string{"main", "master"} {
		if refs[branches+name] == *adv.Head {
			return refs, "ref: " + branches + name
		}
	}
	return refs, adv.Head.String()
}

// missing returns what must be fetched: what the references point to and the copy lacks.
func missing(copied *repo, adv *packp.AdvRefs, refs map[string]hash, want string) ([]hash, error) {
	var wants []hash
	add := func(h hash) error {
		there, err := copied.has(h)
		if err == nil && !there && !slices.Contains(wants, h) {
			wants = append(wants, h)
		}
		return err
	}
	for _, h := range refs {
		if err := add(h); err != nil {
			return nil, err
		}
	}
	if adv.Head != nil {
		if err := add(*adv.Head); err != nil {
			return nil, err
		}
	}
	// A commit that no branch or tag has any more can be had from some servers only. One that does not give it
	// refuses the whole request, so it is asked for alone.
	any := adv.Capabilities.Supports(capability.AllowReachableSHA1InWant) || adv.Capabilities.Supports(capability.AllowTipSHA1InWant)
	if isHash(want) && any && len(wants) == 0 {
		if err := add(plumbing.NewHash(want)); err != nil {
			return nil, err
		}
	}
	return wants, nil
}

// newest returns the newest commits of a repository, at most n of them.
func (r *repo) newest(ctx context.Context, n int) ([]hash, error) {
	refs, err := r.refs()
	if err != nil {
		return nil, err
	}
	w := walk{repo: r, flags: map[hash]uint8{}}
	for _, h := range refs {
		if c, err := r.peel(h); err == nil {
			if err := w.add(c, seen); err != nil {
				return nil, err
			}
		}
	}
	var found []hash
	for w.queue.Len() > 0 && len(found) < n && ctx.Err() == nil {
		c := w.queue.next()
		found = append(found, c.hash)
		for _, p := range c.parents {
			if err := w.add(p, seen); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}
