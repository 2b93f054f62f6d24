package git

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// hash names an object.
type hash = plumbing.Hash

// commit is what is read of one.
type commit struct {
	hash      hash
	tree      hash
	parents   []hash
	author    string    // Name <address>
	authored  time.Time // in the author's zone
	committed time.Time
	subject   string // the first line of the message
}

// short is how a commit is named to a person.
func short(h hash) string { return h.String()[:7] }

func hashOf(text string) hash { return plumbing.NewHash(text) }

// isHash reports whether text is the full name of an object.
func isHash(text string) bool { return len(text) == 40 && isHex(text) }

func isHex(text string) bool { return strings.Trim(text, "0123456789abcdef") == "" }

// parseCommit reads the bytes of a commit object.
func parseCommit(h hash, data []byte) (*commit, error) {
	c := &commit{hash: h}
	header, message, _ := bytes.Cut(data, []byte("\n\n"))
	for line := range bytes.Lines(header) {
		key, value, _ := bytes.Cut(bytes.TrimRight(line, "\n"), []byte(" "))
		var err error
		switch string(key) {
		case "tree":
			c.tree, err = parseHash(value)
		case "parent":
			var p hash
			p, err = parseHash(value)
			c.parents = append(c.parents, p)
		case "author":
			c.author, c.authored = parsePerson(value)
		case "committer":
			_, c.committed = parsePerson(value)
		}
		if err != nil {
			return nil, fmt.Errorf("commit %s: %s: %w", h, key, err)
		}
	}
	if c.tree.IsZero() {
		return nil, fmt.Errorf("commit %s has no tree", h)
	}
	c.subject = subjectOf(message)
	return c, nil
}

// subjectOf returns the first paragraph of a message as one line, as git does.
func subjectOf(message []byte) string {
	paragraph, _, _ := strings.Cut(strings.TrimLeft(string(message), "\n"), "\n\n")
	return strings.ToValidUTF8(strings.Join(strings.FieldsFunc(paragraph, func(r rune) bool { return r == '\n' }), " "), "\uFFFD")
}

// parseTag reads the bytes of a tag object: what it points to, and when it was made.
func parseTag(data []byte) (target hash, typ string, made time.Time, err error) {
	header, _, _ := bytes.Cut(data, []byte("\n\n"))
	for line := range bytes.Lines(header) {
		key, value, _ := bytes.Cut(bytes.TrimRight(line, "\n"), []byte(" "))
		switch string(key) {
		case "object":
			target, err = parseHash(value)
		case "type":
			typ = string(value)
		case "tagger":
			_, made = parsePerson(value)
		}
		if err != nil {
			return target, typ, made, err
		}
	}
	if target.IsZero() {
		err = errors.New("the tag names no object")
	}
	return target, typ, made, err
}

func parseHash(text []byte) (hash, error) {
	if !isHash(string(text)) {
		return hash{}, fmt.Errorf("%q is no name of an object", text)
	}
	return plumbing.NewHash(string(text)), nil
}

// parsePerson reads `Name <address> 1700000000 +0100`. What is malformed in old repositories becomes empty, as
// it decides nothing.
func parsePerson(line []byte) (who string, when time.Time) {
	end := bytes.LastIndexByte(line, '>')
	if end < 0 {
		return strings.ToValidUTF8(string(line), "\uFFFD"), time.Unix(0, 0).UTC()
	}
	who = strings.ToValidUTF8(string(line[:end+1]), "\uFFFD")
	seconds, zone, _ := strings.Cut(strings.TrimSpace(string(line[end+1:])), " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		n = 0
	}
	return who, time.Unix(n, 0).In(parseZone(zone))
}

func parseZone(text string) *time.Location {
	if len(text) != 5 {
		return time.UTC
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < -1400 || n > 1400 {
		return time.UTC
	}
	return time.FixedZone("", n/100*3600+n%100*60)
}

// The modes of a tree's entries.
const (
	modeTree      = 0o040000
	modeFile      = 0o100000
	modeLink      = 0o120000
	modeSubmodule = 0o160000
	modeKind      = 0o170000
)

// treeEntry is a line of a tree object.
type treeEntry struct {
	name string
	mode uint32
	hash hash
}

// fileMode returns what the entry is and which permissions it gets: a file 0644 or 0755, and nothing else.
func (e treeEntry) fileMode() fs.FileMode {
	switch e.mode & modeKind {
	case modeTree, modeSubmodule:
		return fs.ModeDir | 0o755
	case modeLink:
		return fs.ModeSymlink | 0o777
	}
	if e.mode&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// parseTree reads the bytes of a tree object, and refuses one that could not be written to a directory: with a
// name that leads elsewhere, or that stands twice.
func parseTree(h hash, data []byte) ([]treeEntry, error) {
	var entries []treeEntry
	seen := map[string]bool{}
	for len(data) > 0 {
		end := bytes.IndexByte(data, 0)
		if end < 0 || len(data) < end+1+len(hash{}) {
			return nil, fmt.Errorf("tree %s is cut off", h)
		}
		mode, name, ok := strings.Cut(string(data[:end]), " ")
		bits, err := strconv.ParseUint(mode, 8, 32)
		if !ok || err != nil {
			return nil, fmt.Errorf("tree %s: an entry has no mode", h)
		}
		e := treeEntry{name: name, mode: uint32(bits), hash: hash(data[end+1 : end+1+len(hash{})])}
		if err := e.check(seen); err != nil {
			return nil, fmt.Errorf("tree %s: %w", h, err)
		}
		entries = append(entries, e)
		data = data[end+1+len(hash{}):]
	}
	return entries, nil
}

func (e treeEntry) check(seen map[string]bool) error {
	switch {
	case e.name == "" || e.name == "." || e.name == ".." || strings.ContainsAny(e.name, "/\\"):
		return fmt.Errorf("an entry is named %q, which would lead elsewhere", e.name)
	case strings.EqualFold(e.name, ".git"):
		return fmt.Errorf("an entry is named %q, which would be taken for a repository", e.name)
	case seen[e.name]:
		return fmt.Errorf("the entry %q stands twice", e.name)
	}
	seen[e.name] = true
	switch e.mode & modeKind {
	case modeTree, modeFile, modeLink, modeSubmodule:
		return nil
	}
	return fmt.Errorf("the entry %q has the mode %o, which git does not know", e.name, e.mode)
}
