package filesys

import (
	"io/fs"
	"maps"
	"slices"
	"syscall"
)

// node is a file, directory or link as a preview sees it. What a preview has not touched is read from the
// base when it is looked at; its node is made then and forgotten again. Only what is predicted, and the
// directories that lead there, stay in children.
type node struct {
	info     Info // its Path is not used: a node does not know where it stands
	base     source
	children map[string]*node // nil value: taken away, whatever the base has
	maybe    bool             // it is not even known whether it exists
}

// child returns the entry of a directory.
func (n *node) child(name string) (*node, error) {
	if c, ok := n.children[name]; ok {
		if c == nil {
			return nil, fs.ErrNotExist
		}
		return c, nil
	}
	return n.base.child(name)
}

// names lists a directory, sorted.
func (n *node) names() ([]string, error) {
	found, err := n.base.names()
	if err != nil {
		return nil, err
	}
	if len(n.children) == 0 {
		return found, nil
	}
	found = slices.DeleteFunc(found, func(name string) bool { _, ok := n.children[name]; return ok })
	for name, c := range n.children {
		if c != nil {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found, nil
}

// put enters a child, nil for one that is taken away.
func (n *node) put(name string, c *node) {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	n.children[name] = c
}

// clone returns a copy that can be changed by itself. The base is shared: nothing changes it.
func (n *node) clone() *node {
	if n == nil {
		return nil
	}
	c := *n
	c.children = maps.Clone(n.children)
	for name, child := range c.children {
		c.children[name] = child.clone()
	}
	return &c
}

// treeable reports whether entries can be put into a node: directories, and what is only known to exist.
func (n *node) treeable() bool { return n.info.Kind == Dir || n.info.Opaque != "" }

// mayLink reports whether a node is a link or may have some below it.
func (n *node) mayLink() bool {
	switch n.base.(type) {
	case onDisk, inTree:
		return n.info.Kind == Dir || n.info.Kind == Link
	}
	return n.info.Kind == Link
}

// readable says why a node cannot be read as a file or as a directory.
func (n *node) readable(path string, want Kind) error {
	o, unknowable := n.base.(opaque)
	switch {
	case unknowable:
		return unknown(path, o.what)
	case n.info.Kind == want:
		return nil
	case want == Dir:
		return &fs.PathError{Op: "list", Path: path, Err: syscall.ENOTDIR}
	case n.info.Kind == Dir:
		return &fs.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	}
	return &fs.PathError{Op: "read", Path: path, Err: errSpecial}
}
