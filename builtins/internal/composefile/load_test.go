package composefile_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

// load reads a project in /srv.
func load(t *testing.T, src composefile.Source, w composefile.Wanted) (*composefile.Project, error) {
	t.Helper()
	w.Dir = "/srv"
	return composefile.Load(t.Context(), src, w)
}

func mustLoad(t *testing.T, src composefile.Source, w composefile.Wanted) *composefile.Project {
	t.Helper()
	p, err := load(t, src, w)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shop is a project of many files.
var shop = familytest.Files{
	"/srv/compose.yaml": `
name: shop
services:
  web:
    image: app:${TAG:-1}
    environment: {PRICE: "5$$ ${WHO}", FROM_HOST: }
    env_file: [web.env, {path: none.env, required: false}]
    label_file: [web.labels, more.labels]
    labels: {owner: me}
    volumes: ["./conf:/conf:ro"]
  db:
    extends: {file: common/db.yaml, service: base}
  extra: {image: extra, profiles: [more]}
`,
	"/srv/compose.override.yaml": "services: {web: {command: [serve, --all]}}",
	"/srv/web.env":               "A=1\nB=\"${WHO} $A\"\nPRICE=9\n",
	"/srv/web.labels":            "team=shop\nowner=nobody\n",
	"/srv/more.labels":           "team=more\n",
	"/srv/common/db.yaml":        "services: {base: {build: ./db, env_file: [db.env], extends: {file: deep/base.yaml, service: root}}}",
	"/srv/common/db.env":         "DB_PASSWORD=hunter2\n",
	"/srv/common/deep/base.yaml": "services: {root: {image: db:1, volumes: [\"./data:/data\"]}}",
	"/srv/deep/base.yaml":        "services: {root: {image: another}}",
	"/srv/.env":                  "WHO=nobody\n", // read only if it is named
}

// Everything in a loaded project is resolved, and paths are relative to the file in which they stand.
func TestLoad(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, shop, composefile.Wanted{Env: map[string]string{"WHO": "me"}})
	web, db := p.Services["web"], p.Services["db"]
	env := func(m map[string]*string) string {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(m)) {
			value := "unset"
			if m[name] != nil {
				value = *m[name]
			}
			all = append(all, name+"="+value)
		}
		return strings.Join(all, ", ")
	}
	for what, c := range map[string]struct{ got, want string }{
		"services":           {strings.Join(p.ServiceNames(), " "), "db web"},
		"image":              {web.Image, "app:1"},
		"overridden command": {strings.Join(web.Command, " "), "serve --all"},
		"environment":        {env(web.Environment), "A=1, B=me 1, FROM_HOST=unset, PRICE=5$ me"},
		"labels":             {web.Labels["team"] + " " + web.Labels["owner"], "more me"},
		"mount":              {web.Volumes[0].Source, "/srv/conf"},
		"extended build":     {db.Build.Context, "/srv/common/db"},
		"extended twice":     {db.Image, "db:1"},
		"mount of a base":    {db.Volumes[0].Source, "/srv/common/deep/data"},
		"base's environment": {env(db.Environment), "DB_PASSWORD=hunter2"},
		"files":              {p.Paths(), "/srv/compose.yaml, /srv/compose.override.yaml"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", what, c.got, c.want)
		}
	}
	if len(web.EnvFiles)+len(web.LabelFiles) > 0 {
		t.Error("the project still needs other files")
	}
}

func TestWhatIsLoaded(t *testing.T) {
	t.Parallel()
	src := familytest.Files{
		"/srv/docker-compose.yml": "name: a\nservices: {s: {image: usual}, p: {image: x, profiles: [more]}}",
		"/srv/one.yaml":           "services: {s: {image: one}}",
		"/other/two.yaml":         "name: two\nservices: {s: {image: two}}",
	}
	for what, c := range map[string]struct {
		w    composefile.Wanted
		want string
	}{
		"the usual file":      {composefile.Wanted{}, "a: s usual"},
		"another name":        {composefile.Wanted{Name: "b"}, "b: s usual"},
		"a profile":           {composefile.Wanted{Profiles: []string{"more"}}, "a: p x, s usual"},
		"a named file":        {composefile.Wanted{Name: "b", Files: []string{"one.yaml"}}, "b: s one"},
		"the last file rules": {composefile.Wanted{Files: []string{"/other/two.yaml", "one.yaml"}}, "two: s one"},
	} {
		p := mustLoad(t, src, c.w)
		var services []string
		for _, name := range p.ServiceNames() {
			services = append(services, name+" "+p.Services[name].Image)
		}
		if got := p.Name + ": " + strings.Join(services, ", "); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

// Not parallel: infrarun's own environment must not be among what is looked at.
func TestEnvironmentComesFromWhatIsGiven(t *testing.T) {
	src := familytest.Files{
		"/srv/compose.yaml": "name: a\nservices: {s: {image: x, environment: {V: \"$A $B $C\", HOME: }}}",
		"/srv/one.env":      "A=file\nB=file\n", "/srv/two.env": "B=second ${A}\n",
	}
	t.Setenv("C", "not declared")
	w := composefile.Wanted{
		Env: map[string]string{"A": "given"}, EnvFiles: []string{"one.env", "two.env"},
		HostEnv: func() map[string]string { return map[string]string{"B": "host", "C": "host"} },
	}
	env := mustLoad(t, src, w).Services["s"].Environment
	if got, want := *env["V"], "given second given host"; got != want {
		t.Errorf("V is %q, want %q", got, want)
	}
	if env["HOME"] != nil {
		t.Errorf("HOME is %q, want it unset", *env["HOME"])
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	const one = "name: a\nservices:\n  s:\n    image: x\n"
	const at = "/srv/compose.yaml:5: service s: "
	for what, c := range map[string]struct{ file, want string }{
		"a variable that is not set":            {one + "    command: [\"$MISSING\"]\n", "/srv/compose.yaml:5: the variable MISSING is not set"},
		"a variable that must be set":           {one + "    command: [\"${M:?give it}\"]\n", "give it"},
		"no name":                               {"services: {s: {image: x}}", "the project has no name"},
		"an unknown key":                        {one + "    priviledged: true\n", "priviledged"},
		"include":                               {one + "include: [other.yaml]\n", "/srv/compose.yaml:5: include is not supported"},
		"a base elsewhere":                      {one + "    extends: {file: \"https://example.com/x.yaml\", service: s}\n", "is not on this machine"},
		"a base that is not there":              {one + "    extends: {file: other.yaml, service: s}\n", "/srv/other.yaml"},
		"services that extend each other":       {"name: a\nservices: {s: {extends: t}, t: {extends: s}}", "Circular reference"},
		"an environment file that is not there": {one + "    env_file: [none.env]\n", at + "environment file: open /srv/none.env"},
		"a variable in a file":                  {one + "    env_file: [v]\n", at + "environment file: /srv/v: line 4 names a variable that is not set"},
		"another format":                        {one + "    env_file: [{path: e, format: raw}]\n", at + "environment file: /srv/e: the format \"raw\" is not supported"},
		"no variable in a file":                 {one + "    env_file: [e]\n", at + "environment file: /srv/e: line 2 is no variable as NAME=value"},
		"no variable in a file of labels":       {one + "    label_file: [e]\n", at + "label file: /srv/e: line 2"},
		"no YAML":                               {"a: [", "/srv/compose.yaml"},
		"a list":                                {"- a", "the project has no name"},
	} {
		_, err := load(t, familytest.Files{
			"/srv/compose.yaml": c.file, "/srv/e": "A=1\nB='open secret", "/srv/v": "# $A\nA='x$A'\nB=$A${C:-}$$D\nE=\"open$secret\"\n",
		}, composefile.Wanted{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	if _, err := load(t, familytest.Files{}, composefile.Wanted{}); err == nil || !strings.Contains(err.Error(), "there is no compose file in /srv") {
		t.Errorf("no file: %v", err)
	}
}

// recording is a source that notes what is asked for, and refuses one file.
type recording struct {
	familytest.Files
	refused string
	asked   map[string]bool
}

var errRefused = errors.New("not declared")

func (r recording) ReadFile(path string) ([]byte, error) {
	r.asked[path] = true
	if path == r.refused {
		return nil, errRefused
	}
	return r.Files.ReadFile(path)
}

func TestEveryFileIsAskedFor(t *testing.T) {
	t.Parallel()
	w := composefile.Wanted{Env: map[string]string{"WHO": "me"}}
	src := recording{shop, "", map[string]bool{}}
	mustLoad(t, src, w)
	var read []string
	for path := range src.asked {
		if _, ok := shop[path]; ok {
			read = append(read, path)
		}
	}
	slices.Sort(read)
	if d := cmp.Diff([]string{
		"/srv/common/db.env", "/srv/common/db.yaml", "/srv/common/deep/base.yaml", "/srv/compose.override.yaml", "/srv/compose.yaml",
		"/srv/more.labels", "/srv/web.env", "/srv/web.labels",
	}, read); d != "" {
		t.Errorf("the files that were asked for differ (-want +got):\n%s", d)
	}
	for _, path := range read {
		if _, err := load(t, recording{shop, path, map[string]bool{}}, w); !errors.Is(err, errRefused) {
			t.Errorf("%s may not be read: %v", path, err)
		}
	}
}
