package policy

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// testKinds is a table of kinds as a run has it.
func testKinds() map[string]Matcher {
	return map[string]Matcher{
		"fs.read":  ImpliedBy(Paths{}, "fs.write"),
		"fs.write": Paths{},
		"exec":     Commands{},
		"net":      Hosts{},
		"secret":   Names{},
	}
}

func mustParse(t *testing.T, declared map[string][]string, vars map[string]string) *Set {
	t.Helper()
	s, err := Parse(testKinds(), declared, vars)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustPolicy(t *testing.T, allow, deny map[string][]string) *Policy {
	t.Helper()
	p, err := NewPolicy("/etc/infrarun/policy.star", testKinds(), allow, deny)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type lists = map[string][]string

func TestParseSubstitutes(t *testing.T) {
	s := mustParse(t, lists{"fs.write": {"{dir}/x", "/var/{name}-{name}/log"}, "net": {"localhost:{port}"}},
		map[string]string{"dir": "/opt/app", "name": "core", "port": "8082", "unused": ""})
	want := []string{"/opt/app/x", "/var/core-core/log"}
	if got := s.Patterns("fs.write"); !reflect.DeepEqual(got, want) {
		t.Errorf("Patterns = %q, want %q", got, want)
	}
	for need, want := range map[Need]bool{
		{Kind: "fs.write", Target: "/opt/app/x/y"}:       true,
		{Kind: "fs.write", Target: "/opt/app"}:           false,
		{Kind: "fs.write", Target: "/var/core-core/log"}: true,
		{Kind: "net", Target: "localhost:8082"}:          true,
		{Kind: "net", Target: "localhost:80"}:            false,
		{Kind: "exec", Target: "git"}:                    false,
	} {
		if got := s.Allows(need); got != want {
			t.Errorf("Allows(%v) = %v", need, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	vars := map[string]string{
		"dir": "/opt/app", "empty": "", "root": "/", "up": "../../etc", "glob": "*", "nul": "a\x00b", "brace": "{dir}", "slashes": "//",
	}
	for _, tt := range []struct{ kind, pattern, want string }{
		{"fs.write", "{nope}/x", `fs.write: pattern "{nope}/x": there is no value {nope}; known are {brace}, {dir}, {empty}`},
		{"fs.write", "{}/x", "there is no value {}"},
		{"fs.write", "{empty}/x", "the value of {empty} is empty"},
		{"fs.write", "{root}", "which is the whole file system"},
		{"fs.write", "{slashes}", "which is the whole file system"},
		{"fs.write", "{root}/*", "which is the whole file system"},
		{"fs.write", "{root}**", "which is the whole file system"},
		{"fs.write", "/opt/{up}", "a path with .. in it is refused"},
		{"fs.write", "/opt/{glob}", "have a meaning in patterns"},
		{"fs.write", "/opt/{brace}", "have a meaning in patterns"},
		{"net", "localhost:{glob}", "have a meaning in patterns"},
		{"fs.write", "/opt/{nul}", "control character"},
		{"fs.write", "/opt/{dir", "{ without }"},
		{"fs.write", "/opt/dir}", "} without {"},
		{"fs.write", "/opt/{a{dir}}", "{ without }"},
		{"fs.write", "", "it is empty"},
		{"fs.write", "opt/app", "must be absolute"},
		{"fs.write", "~/app", "must be absolute"},
		{"fs.write", "/opt/../etc", "may not have .."},
		{"fs.write", "/opt/a**b", "** stands for whole components"},
		{"fs.write", "/opt/[a", "not complete"},
		{"fs.write", "/opt/[a/b]", "not complete"},
		{"fs.write", "/opt/[a[b]", "not understood"},
		{"fs.write", `/opt/a\*`, "mean nothing here"},
		{"fs.wirte", "/opt", `there is no kind "fs.wirte"; the kinds are exec, fs.read, fs.write, net, secret`},
	} {
		_, err := Parse(testKinds(), lists{tt.kind: {tt.pattern}}, vars)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse(%s %q)\n got %v\nwant an error with %q", tt.kind, tt.pattern, err, tt.want)
		}
	}
	_, err := Parse(testKinds(), lists{"fs.write": {"a", "b"}, "net": {"x:y"}, "exec": {"{v}"}}, nil)
	for _, want := range []string{`"a"`, `"x:y"`, "none are known"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("all errors at once: %v, want %s as well", err, want)
		}
	}
}

func TestWriteImpliesRead(t *testing.T) {
	s := mustParse(t, lists{"fs.write": {"/srv/w"}}, nil)
	both := mustParse(t, lists{"fs.write": {"/srv/w"}, "fs.read": {"/srv/r"}}, nil)
	for _, tt := range []struct {
		set  *Set
		need Need
		want bool
	}{
		{s, Need{Kind: "fs.read", Target: "/srv/w/x"}, true},
		{s, Need{Kind: "fs.write", Target: "/srv/w/x"}, true},
		{both, Need{Kind: "fs.read", Target: "/srv/w/x"}, true},
		{both, Need{Kind: "fs.read", Target: "/srv/r/x"}, true},
		{both, Need{Kind: "fs.write", Target: "/srv/r/x"}, false},
	} {
		if got := tt.set.Allows(tt.need); got != tt.want {
			t.Errorf("Allows(%v) = %v", tt.need, got)
		}
	}
}

func TestGuard(t *testing.T) {
	declared := mustParse(t, lists{"fs.write": {"/srv/app", "/srv/b", "/srv/c", "/srv/d"}, "exec": {"git"}, "net": {"*"}}, nil)
	bound := mustPolicy(t, lists{"fs.write": {"/srv"}, "secret": {}}, lists{"fs.write": {"/srv/app/keys"}, "fs.read": {"/srv/b"}})
	guard := NewGuard(declared, mustPolicy(t, nil, nil), bound)
	for _, tt := range []struct {
		name string
		need Need
		want string // "" if it passes
	}{
		{"declared and allowed", Need{Kind: "fs.write", Target: "/srv/app/x"}, ""},
		{"kind that the policy does not limit", Need{Kind: "exec", Target: "git"}, ""},
		{"write implies read", Need{Kind: "fs.read", Target: "/srv/app/x"}, ""},
		{"not declared", Need{Kind: "fs.write", Target: "/srv/etc"},
			`fs.write: /srv/etc is not declared by the recipe (PERMISSIONS["fs.write"] has "/srv/app", "/srv/b", "/srv/c", …); add it there if the recipe needs it`},
		{"not declared, and would not help", Need{Kind: "fs.write", Target: "/etc/passwd"},
			`fs.write: /etc/passwd is not declared by the recipe (PERMISSIONS["fs.write"] has "/srv/app", "/srv/b", "/srv/c", …); the policy /etc/infrarun/policy.star does not allow it either`},
		{"nothing declared", Need{Kind: "secret", Target: "env:X"},
			`secret: env:X is not declared by the recipe (PERMISSIONS has no "secret"); the policy /etc/infrarun/policy.star does not allow it either`},
		{"denied", Need{Kind: "fs.write", Target: "/srv/app/keys/a"},
			`fs.write: /srv/app/keys/a is not allowed by the policy /etc/infrarun/policy.star; "/srv/app/keys" is denied`},
		{"read denied, write not", Need{Kind: "fs.read", Target: "/srv/b/x"},
			`fs.read: /srv/b/x is not allowed by the policy /etc/infrarun/policy.star; "/srv/b" is denied`},
		{"read where write is denied", Need{Kind: "fs.read", Target: "/srv/app/keys/a"}, ""},
		{"write where read is denied", Need{Kind: "fs.write", Target: "/srv/b/x"}, ""},
		{"unknown kind", Need{Kind: "fs.delete", Target: "/srv/app"},
			`fs.delete: /srv/app is not declared by the recipe (PERMISSIONS has no "fs.delete"); there is no kind "fs.delete"; the kinds are exec, fs.read, fs.write, net, secret`},
		{"odd target", Need{Kind: "fs.write", Target: "/srv/app/\x1b[2J"},
			`fs.write: "/srv/app/\x1b[2J" is not declared by the recipe (PERMISSIONS["fs.write"] has "/srv/app", "/srv/b", "/srv/c", …); "/srv/app/\x1b[2J" has a control character`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := guard.Check(tt.need)
			if tt.want == "" {
				if err != nil {
					t.Errorf("Check(%v) = %v", tt.need, err)
				}
				return
			}
			if err == nil || err.Error() != tt.want {
				t.Fatalf("Check(%v)\n got %v\nwant %s", tt.need, err, tt.want)
			}
			var denied *Denied
			if !errors.As(err, &denied) || denied.Need != tt.need {
				t.Errorf("%#v is no *Denied of the need", err)
			}
			if fromPolicy := strings.Contains(tt.want, "not allowed by"); fromPolicy != (denied.By == "policy /etc/infrarun/policy.star") {
				t.Errorf("By = %q", denied.By)
			}
		})
	}
	if err := NewGuard(declared).Check(Need{Kind: "net", Target: "example.com:1"}); err != nil {
		t.Errorf("without a policy: %v", err)
	}
	if err := NewGuard(nil).Check(Need{Kind: "net", Target: "example.com:1"}); err == nil {
		t.Error("a guard without a declaration lets a need pass")
	}
}

func TestGuardCheckTree(t *testing.T) {
	declared := mustParse(t, lists{"fs.write": {"/srv"}}, nil)
	guard := NewGuard(declared, mustPolicy(t, nil, lists{"fs.write": {"/srv/app/keys", "/srv/*/shadow", "/srv/deep/**/x"}}))
	for target, want := range map[string]bool{
		"/srv":              false,
		"/srv/app":          false,
		"/srv/app/keys":     false,
		"/srv/other":        false, // it may have a shadow
		"/srv/other/logs":   true,
		"/srv/deep/a/b":     false,
		"/srv/app/keystone": true,
	} {
		if err := guard.CheckTree(Need{Kind: "fs.write", Target: target}); (err == nil) != want {
			t.Errorf("CheckTree(%s) = %v", target, err)
		}
	}
	if err := guard.Check(Need{Kind: "fs.write", Target: "/srv/app"}); err != nil {
		t.Errorf("Check counts what lies below: %v", err)
	}
}

func TestNewPolicyRefuses(t *testing.T) {
	_, err := NewPolicy("p.star", testKinds(), lists{"fs.writes": {"/x"}, "net": {"a b"}}, lists{"exec": {"git status"}, "fs.read": {"{dir}"}})
	for _, want := range []string{"policy p.star: allow: ", `no kind "fs.writes"`, `net: pattern "a b"`, `deny: exec: pattern "git status"`, "must be absolute"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}

func TestPolicyAllowImplies(t *testing.T) {
	declared := mustParse(t, lists{"fs.read": {"/"}, "fs.write": {"/"}}, nil)
	readLimited := NewGuard(declared, mustPolicy(t, lists{"fs.read": {"/srv/r"}, "fs.write": {"/srv/w"}}, nil))
	readFree := NewGuard(declared, mustPolicy(t, lists{"fs.write": {"/srv/w"}}, nil))
	for _, tt := range []struct {
		guard *Guard
		need  Need
		want  bool
	}{
		{readLimited, Need{Kind: "fs.read", Target: "/srv/w/x"}, true},
		{readLimited, Need{Kind: "fs.read", Target: "/srv/r/x"}, true},
		{readLimited, Need{Kind: "fs.read", Target: "/srv/x"}, false},
		{readLimited, Need{Kind: "fs.write", Target: "/srv/r/x"}, false},
		{readFree, Need{Kind: "fs.read", Target: "/srv/x"}, true},
		{readFree, Need{Kind: "fs.write", Target: "/srv/x"}, false},
	} {
		if err := tt.guard.Check(tt.need); (err == nil) != tt.want {
			t.Errorf("Check(%v) = %v", tt.need, err)
		}
	}
}
