package policy

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Paths compares absolute paths. A pattern without a glob covers itself and everything below; * ? and [...] stand
// for characters of one component and ** for any number of components, and such a pattern covers only what it
// matches as a whole.
//
// Links cannot be used to get out. A target is covered only if its own path matches and so does the path it
// really leads to, be it there already or not. So that a declared directory may itself be a link, or lie behind
// one, the real path is also compared with each pattern as its directory was reached when the patterns were
// compiled. Links that appear later are not followed there: otherwise a recipe could make of a directory that it
// declared a link to one that it did not. For the same reason a pattern inside of another one gets no reach of
// its own.
//
// A denial hits a target if either of its paths matches, links in the pattern being followed at every question.
type Paths struct {
	// Resolve returns the path that an absolute path really leads to. It must accept what does not exist (yet)
	// and a path with ".." in it. The default follows all links of the file system.
	Resolve func(path string) (string, error)
}

type pathPattern struct {
	text   string // as written
	static string // the directories before the first glob
	rest   glob   // the components from the first glob on; none: static and all below
	root   string // where static really was when it was compiled; "" if that adds nothing
}

type pathPatterns struct {
	list    []pathPattern
	resolve func(string) (string, error)
}

// Compile reads patterns, which must be absolute.
func (p Paths) Compile(patterns []string) (Patterns, error) {
	compiled := &pathPatterns{resolve: p.Resolve}
	if compiled.resolve == nil {
		compiled.resolve = resolve
	}
	for _, text := range patterns {
		pattern, err := parsePath(text)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", text, err)
		}
		compiled.list = append(compiled.list, pattern)
	}
	compiled.findRoots()
	return compiled, nil
}

func parsePath(text string) (pathPattern, error) {
	if err := plainText(text); err != nil {
		return pathPattern{}, err
	}
	if !strings.HasPrefix(text, "/") {
		return pathPattern{}, errors.New("a path must be absolute, that is begin with /")
	}
	if hasDotDot(text) {
		return pathPattern{}, errors.New("a pattern may not have .. in it")
	}
	components := splitPath(path.Clean(text))
	first := 0
	for first < len(components) && !hasGlob(components[first]) {
		first++
	}
	if _, err := compileGlob(components[:first]); err != nil {
		return pathPattern{}, err
	}
	rest, err := compileGlob(components[first:])
	if err != nil {
		return pathPattern{}, err
	}
	return pathPattern{text: text, static: "/" + strings.Join(components[:first], "/"), rest: rest}, nil
}

// findRoots sets the root of every pattern that may have one: where its static part leads through links, unless
// those links could have been made by way of another pattern.
func (ps *pathPatterns) findRoots() {
	places := make([]string, len(ps.list))
	for i, p := range ps.list {
		place, err := ps.resolve(p.static)
		if err != nil {
			place = p.static
		}
		places[i] = place
	}
	for i := range ps.list {
		self := ps.list[i].static
		changeable := false
		for j, other := range ps.list {
			below := within(self, other.static) || within(self, places[j])
			changeable = changeable || below && self != other.static
		}
		if places[i] != self && !changeable {
			ps.list[i].root = places[i]
		}
	}
}

// matches compares target with the pattern, taking prefix for the place of its static part.
func (p *pathPattern) matches(prefix, target string) bool {
	if !within(target, prefix) {
		return false
	}
	return len(p.rest) == 0 || p.rest.match(splitPath(target)[len(splitPath(prefix)):])
}

// matchesBelow is like matches for something below target.
func (p *pathPattern) matchesBelow(prefix, target string) bool {
	if within(prefix, target) {
		return true
	}
	return within(target, prefix) && p.rest.matchBelow(splitPath(target)[len(splitPath(prefix)):])
}

// within reports whether clean path p is dir or lies below it.
func within(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// splitPath returns the components of a clean absolute path.
func splitPath(p string) []string {
	if p == "/" {
		return nil
	}
	return strings.Split(p[1:], "/")
}

// pathTarget is a target with all paths that opening it could lead to.
type pathTarget struct {
	written string   // cleaned
	places  []string // where it really leads
}

// target works out the paths of a target. One with ".." leads to different places depending on whether it is
// shortened first or opened as it is written, which goes through links; both count.
func (ps *pathPatterns) target(text string, follow followed) (pathTarget, error) {
	if err := plainText(text); err != nil {
		return pathTarget{}, err
	}
	if !strings.HasPrefix(text, "/") {
		return pathTarget{}, errors.New("it is not an absolute path")
	}
	t := pathTarget{written: path.Clean(text)}
	ways := []string{t.written}
	if hasDotDot(text) {
		ways = append(ways, text)
	}
	for _, way := range ways {
		place, err := ps.place(way, follow)
		if err != nil {
			return pathTarget{}, fmt.Errorf("where it leads cannot be found out: %w", err)
		}
		t.places = append(t.places, place)
	}
	return t, nil
}

// followed says whether the last component of a path is followed if it is a link.
type followed bool

const (
	wholly  followed = true
	asEntry followed = false
)

// place works out where a path really is, or with wholly where it leads.
func (ps *pathPatterns) place(way string, follow followed) (string, error) {
	dir, name := path.Split(way)
	if follow == wholly || name == "" || name == "." || name == ".." {
		return ps.resolve(way)
	}
	dir, err := ps.resolve(dir)
	return path.Join(dir, name), err
}

// Covers implements [Patterns].
func (ps *pathPatterns) Covers(text string) (bool, string) { return ps.covers(text, wholly) }

func (ps *pathPatterns) coversEntry(text string) (bool, string) { return ps.covers(text, asEntry) }

func (ps *pathPatterns) covers(text string, follow followed) (bool, string) {
	t, err := ps.target(text, follow)
	if err != nil {
		return false, err.Error()
	}
	if !ps.any(func(p *pathPattern) bool { return p.matches(p.static, t.written) }) {
		return false, ""
	}
	for _, place := range t.places {
		covered := ps.any(func(p *pathPattern) bool {
			return p.matches(p.static, place) || p.root != "" && p.matches(p.root, place)
		})
		if !covered {
			return false, fmt.Sprintf("it leads through a link to %s, which is not covered", printable(place))
		}
	}
	return true, ""
}

func (ps *pathPatterns) any(test func(*pathPattern) bool) bool {
	for i := range ps.list {
		if test(&ps.list[i]) {
			return true
		}
	}
	return false
}

// Touches implements [Patterns].
func (ps *pathPatterns) Touches(text string, tree bool) (bool, string) {
	return ps.touches(text, tree, wholly)
}

func (ps *pathPatterns) touchesEntry(text string, tree bool) (bool, string) {
	return ps.touches(text, tree, asEntry)
}

func (ps *pathPatterns) touches(text string, tree bool, follow followed) (bool, string) {
	t, err := ps.target(text, follow)
	if err != nil {
		return len(ps.list) > 0, err.Error()
	}
	for i := range ps.list {
		p := &ps.list[i]
		prefixes := []string{p.static}
		if now, err := ps.resolve(p.static); err == nil && now != p.static {
			prefixes = append(prefixes, now)
		}
		for _, prefix := range prefixes {
			for _, face := range append([]string{t.written}, t.places...) {
				if p.matches(prefix, face) || tree && p.matchesBelow(prefix, face) {
					return true, fmt.Sprintf("%q is denied", p.text)
				}
			}
		}
	}
	return false, ""
}
