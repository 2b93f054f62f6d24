package compose

import (
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/policy"
)

// buildOf is the demander of a service whose build has these lines, which allows everything, and what it was asked for.
func buildOf(t *testing.T, lines string) (*buildDemander, *[]string) {
	t.Helper()
	text := "name: a\nservices:\n  s:\n    build:\n      context: src\n      " + lines + "\nsecrets: {f: {file: ./f}, v: {environment: V}}\n"
	p := mustLoad(t, familytest.Files{"/srv/compose.yaml": text}, composefile.Wanted{Env: map[string]string{"V": "x"}})
	var asked []string
	return &buildDemander{project: p, name: "s", build: p.Services["s"].Build, need: func(needs ...policy.Need) error {
		for _, n := range needs {
			asked = append(asked, n.Kind+" "+n.Target)
		}
		return nil
	}}, &asked
}

// Whatever of the machine a build sees is asked for.
func TestBuildDemands(t *testing.T) {
	for lines, want := range map[string]string{
		"target: x":                             "",
		"dockerfile: ../other/Dockerfile":       "fs.read /srv/other/Dockerfile",
		"dockerfile: /etc/shadow":               "fs.read /etc/shadow",
		"dockerfile_inline: FROM x":             "",
		"additional_contexts: {more: ../more}":  "fs.read /more",
		"secrets: [f, v]":                       "fs.read /srv/f",
		"network: host":                         "docker host-network",
		"network: none":                         "",
		"network: \"container:db\"":             "docker container:db",
		"network: theirs":                       "docker network:theirs",
		"privileged: true":                      "docker privileged:s",
		"entitlements: [network.host]":          "docker privileged:s",
		"cache_from: [x:1]":                     "",
		"cache_from: [\"type=registry,ref=x\"]": "",
		"cache_to: [type=inline]":               "",
	} {
		d, asked := buildOf(t, lines)
		if err := d.check(); err != nil {
			t.Errorf("%s: %v", lines, err)
		}
		got := slices.DeleteFunc(*asked, func(s string) bool { return s == "fs.read /srv/src" || s == "fs.read /srv/src/Dockerfile" })
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s asks for %q, want %q", lines, s, want)
		}
		if len(d.read) == 0 || d.read[0].Target != "/srv/src" {
			t.Errorf("%s: the build is given %v", lines, d.read)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	for lines, want := range map[string]string{
		"additional_contexts: {more: \"https://example.com/x\"}": "/srv/compose.yaml:6: service s: the build context https://example.com/x is not on this machine",
		"ssh: [default]":                                           "/srv/compose.yaml:6: service s: a build with an SSH agent",
		"cache_from: [\"type=local,src=/etc\"]":                    "/srv/compose.yaml:6: service s: a cache from type=local,src=/etc",
		"cache_from: [\"type=registry,ref=x,type=local,src=/\"]":   "a cache from",
		"cache_to: [\"type=local,dest=/root\"]":                    "/srv/compose.yaml:6: service s: a cache to type=local,dest=/root",
		"cache_to: [\"type=registry,ref=registry.example/cache\"]": "a cache to",
	} {
		d, _ := buildOf(t, lines)
		if err := d.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", lines, err, want)
		}
	}
}

// A build gives names to images that the undo has to know.
func TestBuiltRefs(t *testing.T) {
	d, _ := buildOf(t, "tags: [\"other:1\", a-s]")
	complete(d.project)
	if got := strings.Join(builtRefs(d.project, []string{"s"}), " "); got != "a-s:latest other:1" {
		t.Errorf("a build makes %s", got)
	}
}

// A secret of a build is what the recipe gives, under a name that nothing around Compose has.
func TestBuildFileNamesSecrets(t *testing.T) {
	d, _ := buildOf(t, "secrets: [v]")
	text, env, err := buildFile(d.project, []string{"s"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "environment: INFRARUN_SECRET_1") || env["INFRARUN_SECRET_1"] != "x" {
		t.Errorf("the variables are %v in\n%s", env, text)
	}
}
