package git

import (
	"context"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type describeArgs struct {
	repositoryArgs
	Commit string `arg:"commit" doc:"a commit, branch or tag"`
	tokenArg
}

func describeBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "git.describe", Permission: readPermission, Returns: "string",
		Doc: "Names a commit by the nearest tag before it, as `git describe --tags --always` does: v1.2.0 for the tagged " +
			"commit itself, v1.2.0-3-g3f2a9c1 for the third one after it, 3f2a9c1 where there is no tag.",
		Example: `version = git.describe(url, commit)`,
	}, func(c *runtime.Call, a describeArgs) (starlark.Value, error) {
		o, err := newOpener(c, a.Token)
		if err != nil {
			return nil, err
		}
		var name string
		err = o.use(a.URL, []string{a.Commit}, func(r *repo, at []resolved) error {
			name, err = r.describe(c.Context(), at[0].commit)
			return err
		})
		return starlark.String(name), err
	})
}

// tagName is what a commit is tagged with.
type tagName struct {
	name      string
	annotated bool
	made      time.Time
}

// better reports whether git would rather describe a commit by t: annotated before plain, newer before older.
func (t tagName) better(than tagName) bool {
	switch {
	case than.name == "":
		return true
	case t.annotated != than.annotated:
		return t.annotated
	case t.annotated && !t.made.Equal(than.made):
		return t.made.After(than.made)
	}
	return t.name < than.name
}

// tagged returns the tag of every commit that has one.
func (r *repo) tagged(refs map[string]hash) (map[hash]tagName, error) {
	best := map[hash]tagName{}
	for full, h := range refs {
		name, ok := strings.CutPrefix(full, tags)
		if !ok {
			continue
		}
		t := tagName{name: name}
		typ, data, err := r.read(h)
		if err != nil {
			return nil, err
		}
		target := h
		if typ.String() == "tag" {
			t.annotated = true
			if _, _, t.made, err = parseTag(data); err != nil {
				return nil, &damage{r.where, fmt.Errorf("tag %s: %w", name, err)}
			}
			if target, err = r.peel(h); err != nil {
				continue // it tags a file or a tree
			}
		}
		if t.better(best[target]) {
			best[target] = t
		}
	}
	return best, nil
}

// maxCandidates is how many tags are compared, as in git.
const maxCandidates = 10

// candidate is a tag on the way back; depth counts the commits that it does not have.
type candidate struct {
	tagName
	depth int
}

// describe names a commit by its nearest tag.
func (r *repo) describe(ctx context.Context, h hash) (string, error) {
	refs, err := r.refs()
	if err != nil {
		return "", err
	}
	tagged, err := r.tagged(refs)
	if err != nil {
		return "", err
	}
	if t, ok := tagged[h]; ok {
		return t.name, nil
	}
	best, err := r.nearestTag(ctx, h, tagged)
	if err != nil {
		return "", err
	}
	if best == nil {
		return short(h), nil
	}
	return fmt.Sprintf("%s-%d-g%s", best.name, best.depth, short(h)), nil
}

// nearestTag walks back from a commit, newest commits first. Each commit knows by a set of bits from which of
// the candidates it can be reached; what cannot be reached from one counts towards its depth.
func (r *repo) nearestTag(ctx context.Context, h hash, tagged map[hash]tagName) (*candidate, error) {
	start, err := r.commit(h)
	if err != nil {
		return nil, err
	}
	var q queue
	q.add(start)
	within := map[hash]uint16{h: 0}
	var found []*candidate
	for count := 0; q.Len() > 0; count++ {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		c := q.next()
		if t, ok := tagged[c.hash]; ok && len(found) < maxCandidates {
			within[c.hash] |= 1 << len(found)
			found = append(found, &candidate{t, count})
		}
		flags := within[c.hash]
		for i, t := range found {
			if flags&(1<<i) == 0 {
				t.depth++
			}
		}
		if len(found) > 0 && bits.OnesCount16(flags) == len(found) && q.allWithin(within, len(found)) {
			break // whatever is left can be reached from all candidates
		}
		for _, p := range c.parents {
			if _, seen := within[p]; !seen {
				parent, err := r.commit(p)
				if err != nil {
					return nil, err
				}
				q.add(parent)
			}
			within[p] |= flags
		}
	}
	var best *candidate
	for _, t := range found {
		if best == nil || t.depth < best.depth {
			best = t
		}
	}
	return best, nil
}

// allWithin reports whether all that waits can be reached from every candidate.
func (q *queue) allWithin(within map[hash]uint16, candidates int) bool {
	for _, item := range q.items {
		if bits.OnesCount16(within[item.hash]) != candidates {
			return false
		}
	}
	return true
}
