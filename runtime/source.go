package runtime

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

const (
	stdlibPrefix = "@stdlib//"
	// maxSource bounds a module, in bytes: a recipe is written by a person.
	maxSource = 1 << 20
)

// The roots that a run has, by the name that they have in its copy of the sources.
const (
	stdlibKey = "stdlib"
	recipeKey = "recipe"
	siteKey   = "site"
	policyKey = "policy"
)

// sourceRoot is a tree of modules: the standard library, the recipe's directory, the site file's.
type sourceRoot struct {
	key   string
	shown string // what precedes a module's path in messages
	fsys  fs.FS
	kind  string // "disk" or "embedded"
}

// moduleID names a module of a run.
type moduleID struct{ root, path string }

func (id moduleID) String() string { return id.root + "/" + id.path }

// MarshalText writes a module as root/path.
func (id moduleID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads root/path.
func (id *moduleID) UnmarshalText(text []byte) error {
	var ok bool
	if id.root, id.path, ok = strings.Cut(string(text), "/"); !ok {
		return fmt.Errorf("%q names no module", text)
	}
	return nil
}

// diskRoot opens a directory. Links and names that lead out of it are refused by the operating
// system, not by looking at the names.
func diskRoot(key, dir string) (*sourceRoot, error) {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	shown := strings.TrimSuffix(filepath.ToSlash(filepath.Clean(dir)), "/") + "/"
	if shown == "./" {
		shown = ""
	}
	return &sourceRoot{key: key, shown: shown, fsys: r.FS(), kind: "disk"}, nil
}

// read returns the text of a module. It looks before it opens: a named pipe would never open.
func (r *sourceRoot) read(name string) (string, error) {
	info, err := fs.Stat(r.fsys, name)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", errors.New("is a directory, not a module")
	case !info.Mode().IsRegular():
		return "", errors.New("is not a regular file")
	}
	f, err := r.fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSource+1))
	if err == nil && len(data) > maxSource {
		err = fmt.Errorf("is longer than the %d bytes that a module may have", maxSource)
	}
	return string(data), err
}

// sources is the roots of a run and the text of every module that it loaded: for messages, and for
// the journal, so that editing a recipe later does not change how it is rolled back.
type sources struct {
	roots map[string]*sourceRoot

	mu    sync.Mutex
	texts map[moduleID]string
	names map[string]moduleID // by the name in messages
}

func newSources(roots ...*sourceRoot) *sources {
	s := &sources{roots: map[string]*sourceRoot{}, texts: map[moduleID]string{}, names: map[string]moduleID{}}
	for _, r := range roots {
		s.roots[r.key] = r
	}
	return s
}

// shown is a module's name in messages.
func (s *sources) shown(id moduleID) string {
	if r := s.roots[id.root]; r != nil {
		return r.shown + id.path
	}
	return id.String()
}

// prefixes returns what precedes a module's path in messages, by root.
func (s *sources) prefixes() map[string]string {
	shown := map[string]string{}
	for key, r := range s.roots {
		shown[key] = r.shown
	}
	return shown
}

func (s *sources) read(id moduleID) (string, error) {
	r := s.roots[id.root]
	if r == nil {
		return "", fs.ErrNotExist
	}
	text, err := r.read(id.path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[id] = text
	s.names[s.shown(id)] = id
	return text, nil
}

// text returns the source of a module by its name in messages.
func (s *sources) text(shown string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.names[shown]
	return s.texts[id], ok
}

// find resolves what a load statement in the module `from` names.
func (s *sources) find(from moduleID, name string) (moduleID, error) {
	id := moduleID{root: from.root}
	switch {
	case strings.HasPrefix(name, stdlibPrefix):
		id.root, id.path = stdlibKey, path.Clean(name[len(stdlibPrefix):])
	case strings.HasPrefix(name, "//"):
		id.path = path.Clean(name[2:])
	case strings.HasPrefix(name, "@"):
		return id, errors.New("the only library is @stdlib//")
	case strings.HasPrefix(name, "/"):
		return id, errors.New("an absolute path leaves the recipe; //x.star is relative to its root")
	default:
		id.path = path.Join(path.Dir(from.path), name)
	}
	switch {
	case s.roots[id.root] == nil:
		return id, errors.New("there is no module of that name here")
	case !strings.HasSuffix(id.path, ".star"):
		return id, errors.New("a module's name ends in .star")
	case !fs.ValidPath(id.path):
		return id, fmt.Errorf("it lies outside of %s, beyond which no module is loaded", s.outer(id.root))
	}
	return id, nil
}

// outer is a root in a message about what lies outside of it.
func (s *sources) outer(root string) string {
	if shown := s.roots[root].shown; shown != "" {
		return shown
	}
	return "the recipe's directory"
}

// siblings lists the modules beside a missing one, for suggestions.
func (s *sources) siblings(id moduleID) []string {
	r := s.roots[id.root]
	if r == nil {
		return nil
	}
	entries, _ := fs.ReadDir(r.fsys, path.Dir(id.path))
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".star") {
			names = append(names, e.Name())
		}
	}
	return names
}
