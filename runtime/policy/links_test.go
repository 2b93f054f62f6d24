package policy

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes directories ("dir/"), files ("file") and links ("link -> to") below a new directory and returns it,
// itself free of links.
func tree(t *testing.T, entries ...string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		addEntry(t, root, entry)
	}
	return root
}

func addEntry(t *testing.T, root, entry string) {
	t.Helper()
	name, to, isLink := strings.Cut(entry, " -> ")
	full := filepath.Join(root, name)
	err := os.MkdirAll(filepath.Dir(full), 0o755)
	switch {
	case err != nil:
	case isLink:
		err = os.Symlink(strings.ReplaceAll(to, "ROOT", root), full)
	case strings.HasSuffix(name, "/"):
		err = os.MkdirAll(full, 0o755)
	default:
		err = os.WriteFile(full, nil, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPathsLinks(t *testing.T) {
	root := tree(t,
		"app/releases/1/bin", "app/current -> releases/1", "app/abs -> ROOT/app/releases",
		"app/out -> ../etc", "app/passwd -> ROOT/etc/passwd", "app/new -> ROOT/etc/new", "app/hop -> out/passwd",
		"app/loop -> loop", "app/up -> ..", "app/sub/", "app/slash -> /",
		"etc/passwd", "etc/keys/", "data/x", "mnt -> data", "alias -> app", "run -> ROOT/data",
		"deep/etc-link -> ../etc/keys",
	)
	for _, tt := range []struct {
		name     string
		patterns string
		target   string
		covers   bool
		touches  bool
	}{
		{"plain", "/app", "/app/sub/x", true, true},
		{"link that stays inside", "/app", "/app/current/bin", true, true},
		{"absolute link that stays inside", "/app", "/app/abs/1/bin", true, true},
		{"link to a directory outside", "/app", "/app/out/passwd", false, true},
		{"link to a file outside", "/app", "/app/passwd", false, true},
		{"link to a file outside that is not there yet", "/app", "/app/new", false, true},
		{"link by way of a link", "/app", "/app/hop", false, true},
		{"link to the root", "/app", "/app/slash/etc/passwd", false, true},
		{"link that goes round", "/app", "/app/loop/x", false, true},
		{"link up and down again", "/app", "/app/up/app/sub", true, true},
		{"link up", "/app", "/app/up/etc/passwd", false, true},
		{"dots after a link", "/app", "/app/current/../sub", true, true},
		{"dots that only look inside", "/app", "/app/out/../sub", false, true},
		{"what is not there", "/app", "/app/a/b/c", true, true},
		{"dots through what is not there", "/app", "/app/nx/../../etc/passwd", false, false},
		{"below a file", "/app", "/app/releases/1/bin/x", true, true},
		{"outside declared too", "/app /etc", "/app/out/passwd", true, true},
		{"declared directory is a link", "/mnt", "/mnt/x", true, true},
		{"declared directory is a link, target past it", "/mnt", "/data/x", false, true},
		{"declared directory lies behind a link", "/alias/sub", "/alias/sub/y", true, true},
		{"behind a link, and out", "/alias", "/alias/out/passwd", false, true},
		{"glob behind a link", "/run/*", "/run/x", true, true},
		{"glob behind a link, too deep", "/run/*", "/run/a/b", false, false},
		{"pattern inside of another", "/app /app/out", "/app/out/passwd", false, true},
		{"pattern inside of another by a link", "/alias /app/out", "/app/out/passwd", false, true},
		{"glob that matches a link out", "/app/*", "/app/passwd", false, true},
		{"denied by where it leads", "/etc", "/app/passwd", false, true},
		{"denied by where it would lead", "/etc", "/app/new", false, true},
		{"denied under another name", "/run", "/mnt/x", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var patterns []string
			for _, p := range strings.Fields(tt.patterns) {
				patterns = append(patterns, root+p)
			}
			compiled, err := Paths{}.Compile(patterns)
			if err != nil {
				t.Fatal(err)
			}
			if got, why := compiled.Covers(root + tt.target); got != tt.covers {
				t.Errorf("covers: %v (%s)", got, why)
			}
			if got, why := compiled.Touches(root+tt.target, false); got != tt.touches {
				t.Errorf("touches: %v (%s)", got, why)
			}
		})
	}
	keys, err := Paths{}.Compile([]string{root + "/deep/etc-link"})
	if err != nil {
		t.Fatal(err)
	}
	if hit, _ := keys.Touches(root+"/etc", true); !hit {
		t.Error("a tree is not touched by a denial of what a link in the pattern leads to")
	}
}

// Who removes or moves a link reaches the link. What it leads to does not count, the links on the way to it do.
func TestEntries(t *testing.T) {
	root := tree(t, "app/passwd -> ROOT/etc/passwd", "app/out -> ../etc", "app/sub/x", "etc/passwd", "etc/hosts", "alias -> app")
	for _, tt := range []struct {
		name, pattern, target string
		covers, touches       bool
	}{
		{"link to a file outside", "/app", "/app/passwd", true, true},
		{"link to a directory outside", "/app", "/app/out", true, true},
		{"what lies behind it", "/app", "/app/out/passwd", false, true},
		{"no link", "/app", "/app/sub/x", true, true},
		{"a link to the declared", "/etc", "/app/out", false, false},
		{"the declared behind a link", "/alias", "/alias/passwd", true, true},
		{"up and down", "/app", "/app/sub/../passwd", true, true},
		{"up through a link", "/app", "/app/out/..", false, true},
	} {
		compiled, err := Paths{}.Compile([]string{root + tt.pattern})
		if err != nil {
			t.Fatal(err)
		}
		n := Need{Kind: "fs.write", Target: root + tt.target, Entry: true}
		if got, why := covers(compiled, n); got != tt.covers {
			t.Errorf("%s: covers: %v (%s)", tt.name, got, why)
		}
		if got, why := touches(compiled, n, false); got != tt.touches {
			t.Errorf("%s: touches: %v (%s)", tt.name, got, why)
		}
	}
}

// A recipe may change what it declared. It must not gain anything by putting a link there.
func TestDeclaredDirectoryBecomesLink(t *testing.T) {
	for _, declared := range []string{"/mine", "/mine/sub", "/mine/*", "/mine/**"} {
		root := tree(t, "etc/passwd")
		compiled, err := Paths{}.Compile([]string{root + declared})
		if err != nil {
			t.Fatal(err)
		}
		target := root + strings.NewReplacer("**", "x", "*", "x").Replace(declared)
		if ok, why := compiled.Covers(target); !ok {
			t.Fatalf("%s before: %s", declared, why)
		}
		addEntry(t, root, strings.TrimPrefix(target, root)+" -> ROOT/etc")
		if ok, _ := compiled.Covers(target); ok {
			t.Errorf("%s covers %s, which became a link to %s/etc", declared, target, root)
		}
		if ok, _ := compiled.Covers(target + "/passwd"); ok {
			t.Errorf("%s covers %s/passwd, which is outside by now", declared, target)
		}
	}
}

func TestDeniedDirectoryBecomesLink(t *testing.T) {
	root := tree(t, "etc/passwd")
	compiled, err := Paths{}.Compile([]string{root + "/keys"})
	if err != nil {
		t.Fatal(err)
	}
	if hit, _ := compiled.Touches(root+"/etc/passwd", false); hit {
		t.Fatal("touched before there is a link")
	}
	addEntry(t, root, "keys -> etc")
	if hit, _ := compiled.Touches(root+"/etc/passwd", false); !hit {
		t.Error("a link of a denied path is not followed")
	}
}

func TestResolve(t *testing.T) {
	root := tree(t, "a/b/c", "a/file", "rel -> a/b", "abs -> ROOT/a", "dangling -> nowhere/x/../y", "chain -> rel/c", "up -> a/b/../..", "file-up -> a/file/../b")
	for name, want := range map[string]string{
		"":                 "",
		"/a/b/c":           "/a/b/c",
		"/rel/c":           "/a/b/c",
		"/rel/../file":     "/a/file",
		"/abs/b":           "/a/b",
		"/dangling":        "/nowhere/y",
		"/dangling/z":      "/nowhere/y/z",
		"/chain":           "/a/b/c",
		"/up/a":            "/a",
		"/nothing/at/all":  "/nothing/at/all",
		"/a/file/x/../y":   "/a/file/y",
		"//a/./b/":         "/a/b",
		"/nothing/../../x": strings.TrimPrefix(filepath.Dir(root)+"/x", root),
	} {
		got, err := resolve(root + name)
		if err != nil {
			t.Errorf("resolve(%s): %v", name, err)
		} else if got != root+want && got != want {
			t.Errorf("resolve(%s) = %s, want %s", name, strings.TrimPrefix(got, root), want)
		}
	}
}

func TestResolveFollowsLikeTheKernel(t *testing.T) {
	root := tree(t, "a/b/c", "l1 -> a", "a/l2 -> b", "a/b/l3 -> ../../l1/l2", "a/b/l4 -> l3/../l2/c")
	for _, name := range []string{"/l1/l2", "/l1/l2/l3/c", "/a/b/l4", "/l1/l2/l3/l4", "/l1/../a/l2/../b/l3"} {
		want, err := filepath.EvalSymlinks(root + name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := resolve(root + name); err != nil || got != want {
			t.Errorf("resolve(%s) = %s, %v, want %s", name, got, err, want)
		}
	}
}

func TestPathsOwnResolve(t *testing.T) {
	broken := errors.New("input/output error")
	paths := Paths{Resolve: func(p string) (string, error) {
		switch {
		case strings.HasPrefix(p, "/srv/planned"):
			return "/etc", nil // a link that exists in a preview only
		case strings.HasPrefix(p, "/srv/broken"):
			return "", broken
		}
		return p, nil
	}}
	checkMatches(t, paths, []matchCase{
		{"/srv", "/srv/x", true, true},
		{"/srv", "/srv/planned", false, true},
		{"/srv", "/srv/broken", false, true},
		{"/else", "/srv/broken", false, true},
	})
}

func TestCommandsLinks(t *testing.T) {
	root := tree(t, "bin/git", "bin/python3.11", "bin/python3 -> python3.11", "opt/app/run", "opt/app/sh -> ROOT/bin/git", "tmp/innocent -> ROOT/bin/git")
	look := func(name string) (string, error) { return root + "/bin/" + name, nil }
	commands := Commands{Dirs: []string{root + "/bin"}, LookPath: look}
	checkMatches(t, commands, []matchCase{
		{"python3", root + "/bin/python3", true, true},
		{"python3.11", "python3", false, true},
		{"git", root + "/tmp/innocent", false, true},
		{root + "/opt/app", root + "/opt/app/run", true, true},
		{root + "/opt/app", root + "/opt/app/sh", false, true},
		{root + "/bin/git", "git", false, true},
		{root + "/opt", "git", false, false},
	})
}
