package policy

import (
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// sameRules checks what holds for every matcher: a target that patterns cover is one they touch, and a pattern
// that cannot be compiled has an error that says something.
func sameRules(t *testing.T, m Matcher, pattern, target string) (covers bool) {
	t.Helper()
	compiled, err := m.Compile([]string{pattern})
	if err != nil {
		if !strings.HasPrefix(err.Error(), "pattern ") {
			t.Errorf("the error for %q does not begin with the pattern: %v", pattern, err)
		}
		return false
	}
	covers, _ = compiled.Covers(target)
	touches, _ := compiled.Touches(target, false)
	tree, _ := compiled.Touches(target, true)
	if covers && !touches || touches && !tree {
		t.Errorf("%q: %q is covered %v, touched %v, as a tree %v", pattern, target, covers, touches, tree)
	}
	return covers
}

func FuzzPaths(f *testing.F) {
	f.Add("/opt/app", "/opt/app/../x")
	f.Add("/opt/**/a*/[!b]?", "/opt/x/y/ab/cd")
	lexical := Paths{Resolve: func(p string) (string, error) { return path.Clean(p), nil }}
	f.Fuzz(func(t *testing.T, pattern, target string) {
		if !sameRules(t, lexical, pattern, target) {
			return
		}
		if !path.IsAbs(target) {
			t.Errorf("%q covers the relative %q", pattern, target)
		}
		// What is before the first glob must be there literally.
		static := pattern[:len(pattern)-len(strings.TrimLeft(pattern, "/"))]
		for _, c := range strings.Split(strings.Trim(pattern, "/"), "/") {
			if strings.ContainsAny(c, "*?[") {
				break
			}
			static += "/" + c
		}
		rel, err := filepath.Rel(path.Clean(static), path.Clean(target))
		if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
			t.Errorf("%q covers %q, which is outside of %q", pattern, target, path.Clean(static))
		}
	})
}

func FuzzCommands(f *testing.F) {
	f.Add("git", "/usr/bin/git")
	f.Add("docker-*", "./docker-x")
	f.Add("/opt/app/bin", "/opt/app/bin/x")
	commands := Commands{LookPath: lookGit, Paths: Paths{Resolve: func(p string) (string, error) { return path.Clean(p), nil }}}
	f.Fuzz(func(t *testing.T, pattern, target string) {
		covers := sameRules(t, commands, pattern, target)
		if covers && !path.IsAbs(target) && strings.Contains(target, "/") {
			t.Errorf("%q covers %q, which depends on the directory", pattern, target)
		}
		if covers && !strings.Contains(pattern, "/") && path.IsAbs(target) {
			standard := false
			for _, dir := range standardDirs {
				standard = standard || path.Dir(path.Clean(target)) == dir
			}
			if !standard {
				t.Errorf("%q covers %q, which is in no standard directory", pattern, target)
			}
		}
	})
}

func FuzzHosts(f *testing.F) {
	f.Add("localhost:8082", "127.0.0.1:8082")
	f.Add("*.example.com:443", "a.example.com.:443")
	f.Add("[::1]:80", "[0::1]:80")
	f.Fuzz(func(t *testing.T, pattern, target string) {
		covers := sameRules(t, Hosts{}, pattern, target)
		if !covers {
			return
		}
		for _, r := range target {
			if r <= ' ' || r > '~' || strings.ContainsRune("/@#?%", r) {
				t.Errorf("%q covers the odd %q", pattern, target)
			}
		}
		if upper := strings.ToUpper(target); !sameRules(t, Hosts{}, pattern, upper) {
			t.Errorf("%q covers %q but not %q", pattern, target, upper)
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add("env:*", "env:TOKEN")
	f.Add("**/x/*", "a/x/b")
	f.Fuzz(func(t *testing.T, pattern, target string) {
		covers := sameRules(t, Names{}, pattern, target)
		if covers && !strings.ContainsAny(pattern, "*?[") && pattern != target {
			t.Errorf("%q without a glob covers %q", pattern, target)
		}
	})
}

// FuzzGlob compares the fast matching of globs with the plain definition.
func FuzzGlob(f *testing.F) {
	f.Add("a/**/b/**/c", "a/x/b/b/y/c")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, target string) {
		if len(pattern) > 60 || len(target) > 60 {
			return // the definition takes exponential time
		}
		g, err := compileGlob(strings.Split(pattern, "/"))
		if err != nil {
			return
		}
		components := strings.Split(target, "/")
		if got, want := g.match(components), matchPlainly(g, components); got != want {
			t.Errorf("%q matches %q: %v, by definition %v", g, components, got, want)
		}
	})
}

func matchPlainly(g glob, target []string) bool {
	switch {
	case len(g) == 0:
		return len(target) == 0
	case g[0] == anyDepth:
		return matchPlainly(g[1:], target) || len(target) > 0 && matchPlainly(g, target[1:])
	}
	return len(target) > 0 && matchOne(g[0], target[0]) && matchPlainly(g[1:], target[1:])
}

func FuzzSubstitute(f *testing.F) {
	f.Add("/opt/{a}/x", "core")
	f.Add("{a}", "/")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		out, err := substitute(pattern, map[string]string{"a": value})
		if err != nil {
			return
		}
		if strings.ContainsAny(out, "{}") {
			t.Errorf("substitute(%q, %q) = %q, with a {name} left", pattern, value, out)
		}
		if strings.Count(out, "*") != strings.Count(pattern, "*") {
			t.Errorf("substitute(%q, %q) = %q, with a new glob", pattern, value, out)
		}
		if out != pattern && path.Clean(out) == "/" {
			t.Errorf("substitute(%q, %q) = %q", pattern, value, out)
		}
	})
}
