package git

import (
	"container/heap"
	"context"
	"slices"
)

// queue gives commits newest first, and of the same second in the order in which they came.
type queue struct {
	items []queued
	count int
}

type queued struct {
	*commit
	order int
}

func (q *queue) Len() int { return len(q.items) }
func (q *queue) Less(i, j int) bool {
	a, b := q.items[i], q.items[j]
	if !a.committed.Equal(b.committed) {
		return a.committed.After(b.committed)
	}
	return a.order < b.order
}
func (q *queue) Swap(i, j int) { q.items[i], q.items[j] = q.items[j], q.items[i] }
func (q *queue) Push(x any)    { q.items = append(q.items, x.(queued)) }
func (q *queue) Pop() any {
	last := q.items[len(q.items)-1]
	q.items = q.items[:len(q.items)-1]
	return last
}

func (q *queue) add(c *commit) {
	q.count++
	heap.Push(q, queued{c, q.count})
}

func (q *queue) next() *commit { return heap.Pop(q).(queued).commit }

// What a walk knows of a commit.
const (
	seen = 1 << iota
	excluded
)

// patience is how many more commits are looked at when only excluded ones are left: a wrong clock can have dated a
// commit before its ancestors. Git does the same.
const patience = 5

// between returns the commits that can be reached from new but not from old, newest first, at most limit of them;
// with a zero old all that can be reached. Old need not be an ancestor of new.
func (r *repo) between(ctx context.Context, old, new hash, limit int) ([]*commit, error) {
	w := walk{repo: r, flags: map[hash]uint8{}}
	if err := w.add(new, seen); err != nil {
		return nil, err
	}
	if !old.IsZero() {
		if err := w.add(old, seen|excluded); err != nil {
			return nil, err
		}
	}
	var found []*commit
	for left := patience; w.queue.Len() > 0 && left > 0; {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		c := w.queue.next()
		flags := w.flags[c.hash]
		if flags&excluded == 0 {
			found = append(found, c)
			if old.IsZero() && len(found) == limit {
				break
			}
		}
		for _, p := range c.parents {
			if err := w.add(p, seen|flags&excluded); err != nil {
				return nil, err
			}
		}
		if w.undecided(found) {
			left = patience
		} else {
			left--
		}
	}
	found = slices.DeleteFunc(found, func(c *commit) bool { return w.flags[c.hash]&excluded != 0 })
	return found[:min(len(found), limit)], nil
}

// walk goes back through history from several commits at once.
type walk struct {
	repo  *repo
	queue queue
	flags map[hash]uint8
}

// add enters a commit that was reached. What becomes excluded only now excludes its ancestors, too.
func (w *walk) add(h hash, flags uint8) error {
	before := w.flags[h]
	w.flags[h] = before | flags
	c, err := w.repo.commit(h)
	if err != nil {
		return err
	}
	if before == 0 {
		w.queue.add(c)
		return nil
	}
	for todo := []*commit{c}; before&excluded == 0 && flags&excluded != 0 && len(todo) > 0; {
		c, todo = todo[len(todo)-1], todo[:len(todo)-1]
		for _, p := range c.parents {
			if w.flags[p]&(seen|excluded) == seen {
				w.flags[p] |= excluded
				todo = append(todo, w.repo.commits[p])
			}
		}
	}
	return nil
}

// undecided reports whether what is still in the queue can change the result.
func (w *walk) undecided(found []*commit) bool {
	for _, item := range w.queue.items {
		if w.flags[item.hash]&excluded == 0 {
			return true
		}
	}
	if len(found) == 0 || w.queue.Len() == 0 {
		return false
	}
	return !w.queue.items[0].committed.Before(found[len(found)-1].committed)
}
