package policy

import (
	"errors"
	"strings"
	"testing"
)

// matchCase says of one target whether the patterns cover it (as allowed) and touch it (as denied).
type matchCase struct {
	patterns string // separated by spaces
	target   string
	covers   bool
	touches  bool
}

func checkMatches(t *testing.T, m Matcher, tests []matchCase) {
	t.Helper()
	for _, tt := range tests {
		compiled, err := m.Compile(strings.Fields(tt.patterns))
		if err != nil {
			t.Errorf("Compile(%s): %v", tt.patterns, err)
			continue
		}
		if got, why := compiled.Covers(tt.target); got != tt.covers {
			t.Errorf("%s covers %q: %v (%s)", tt.patterns, tt.target, got, why)
		}
		if got, why := compiled.Touches(tt.target, false); got != tt.touches {
			t.Errorf("%s touches %q: %v (%s)", tt.patterns, tt.target, got, why)
		}
	}
}

func TestPathsLexical(t *testing.T) {
	// These directories do not exist, so no link plays a part.
	checkMatches(t, Paths{}, []matchCase{
		{"/nx/app", "/nx/app", true, true},
		{"/nx/app", "/nx/app/a/b", true, true},
		{"/nx/app/", "/nx/app", true, true},
		{"/nx//./app", "/nx/app/x", true, true},
		{"/nx/app", "/nx/application", false, false},
		{"/nx/app", "/nx", false, false},
		{"/nx/app", "/", false, false},
		{"/nx/app", "/nx/app/../app/x", true, true},
		{"/nx/app", "/nx/app/../../etc/passwd", false, false},
		{"/nx/app", "/nx/app/..", false, false},
		{"/nx/app", "/nx/app/../apq", false, false},
		{"/nx/app", "//nx//app//x", true, true},
		{"/nx/app", "/nx/app/.", true, true},
		{"/nx/app", "/NX/app", false, false},
		{"/nx/app", "nx/app", false, true},
		{"/nx/app", "./nx/app", false, true},
		{"/nx/app", "", false, true},
		{"/nx/app", "/nx/app\x00/../../etc", false, true},
		{"/nx/app", "/nx/app/a\nb", false, true},
		{"/nx/app", "~/nx/app", false, true},
		{"/", "/anything", true, true},
		{"/**", "/any/thing", true, true},
		{"/nx/*", "/nx/a", true, true},
		{"/nx/*", "/nx/a/b", false, false},
		{"/nx/*", "/nx", false, false},
		{"/nx/*", "/nx/.hidden", true, true},
		{"/nx/u-*.service", "/nx/u-core.service", true, true},
		{"/nx/u-*.service", "/nx/u-a/b.service", false, false},
		{"/nx/u-*.service", "/nx/u-x.service/y", false, false},
		{"/nx/u-*.service", "/nx/u-/../../etc/x.service", false, false},
		{"/nx/*/log", "/nx/../log", false, false},
		{"/nx/**", "/nx", true, true},
		{"/nx/**", "/nx/a/b", true, true},
		{"/nx/**/log", "/nx/log", true, true},
		{"/nx/**/log", "/nx/a/b/log", true, true},
		{"/nx/**/log", "/nx/a/b/log/c", false, false},
		{"/nx/**/a/**/b", "/nx/x/a/y/a/z/b", true, true},
		{"/nx/**/a/**/b", "/nx/x/y/z/b", false, false},
		{"/nx/a?c", "/nx/abc", true, true},
		{"/nx/a?c", "/nx/a/c", false, false},
		{"/nx/a[!b]c", "/nx/abc", false, false},
		{"/nx/a[!b]c", "/nx/axc", true, true},
		{"/nx/a[!b]c", "/nx/a!c", true, true},
		{"/nx/a[^b]c", "/nx/a/c", false, false},
		{"/nx/[a-c]", "/nx/b", true, true},
		{"/nx/a /nx/b", "/nx/b/x", true, true},
		{"", "/nx", false, false},
		{"", "relative", false, false},
	})
}

// lookGit pretends that git is the only command there is besides those of a temporary directory.
func lookGit(name string) (string, error) {
	if name == "git" {
		return "/nx/bin/git", nil
	}
	return "", errors.New("not found")
}

func TestCommands(t *testing.T) {
	checkMatches(t, Commands{Dirs: []string{"/nx/bin", "/nx/sbin"}, LookPath: lookGit}, []matchCase{
		{"git", "git", true, true},
		{"git", "/nx/bin/git", true, true},
		{"git", "/nx/sbin/git", true, true},
		{"git", "/nx/bin//git", true, true},
		{"git", "/nx/bin/sub/git", false, true},
		{"git", "/tmp/evil/git", false, true},
		{"git", "./git", false, true},
		{"git", "bin/git", false, true},
		{"git", "/nx/bin/../../tmp/evil/git", false, true},
		{"git", "/tmp/../nx/bin/git", false, true},
		{"git", "git ", false, false},
		{"git", " git", false, false},
		{"git", "git\x00", false, true},
		{"git", "", false, true},
		{"git", "GIT", false, false},
		{"git", "git-shell", false, false},
		{"git", "/nx/bin/git/", true, true},
		{"docker-*", "docker-compose", true, true},
		{"docker-*", "/nx/bin/docker-compose", true, true},
		{"docker-*", "docker", false, false},
		{"*", "anything", true, true},
		{"*", "/nx/bin/anything", true, true},
		{"*", "/tmp/evil", false, true},
		{"*", "..", false, true},
		{"*", ".", false, true},
		{"/nx/app/bin", "/nx/app/bin/console", true, true},
		{"/nx/app/bin", "console", false, false},
		{"/nx/bin/git", "git", false, true},
		{"/nx/app/bin/*", "/nx/app/bin/x", true, true},
		{"/nx/app/bin/*", "/nx/app/bin/../../../bin/sh", false, true},
		{"", "git", false, false},
	})
	for pattern, want := range map[string]string{
		"git status": "without arguments", "./git": "must be absolute", "**": "write *", "": "empty", "[": "not complete", "/x/../y": "may not have ..", "..": "without the component",
	} {
		if _, err := (Commands{}).Compile([]string{pattern}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile(%q) = %v, want an error with %q", pattern, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	checkMatches(t, Names{}, []matchCase{
		{"infra-core-*", "infra-core-gate", true, true},
		{"infra-core-*", "infra-core", false, false},
		{"infra-core-*", "xinfra-core-gate", false, false},
		{"infra-core-*", "infra-core-a/b", false, false},
		{"env:*", "env:TOKEN", true, true},
		{"env:*", "file:/run/x", false, false},
		{"env:TOKEN", "env:token", false, false},
		{"env:TOKEN", "env:TOKEN2", false, false},
		{"env:TOKEN", "", false, true},
		{"env:TOKEN", "env:TOKEN\n", false, true},
		{"file:/run/*", "file:/run/token", true, true},
		{"file:/run/*", "file:/run/../etc/x", false, true},
		{"file:/run/*/shadow", "file:/run/../shadow", false, true},
		{"file:/run/token", "file:/run//token", false, true},
		{"file:/run/token", "file:/run/./token", false, true},
		{"file:/run/**", "file:/run/a/b", true, true},
		{"*", "a", true, true},
		{"*", "a/b:c", true, true},
		{"a?c", "abc", true, true},
		{"a[0-9]", "a5", true, true},
		{"", "a", false, false},
	})
	for _, pattern := range []string{"", "a//b", "a/../b", "[", "a\x00", `a\b`, "{x}"} {
		if _, err := (Names{}).Compile([]string{pattern}); err == nil {
			t.Errorf("Compile(%q) accepts it", pattern)
		}
	}
}
