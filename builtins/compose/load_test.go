package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
)

// memory is a source of files in memory.
type memory map[string]string

func (m memory) ReadFile(path string) ([]byte, error) {
	text, ok := m[path]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
	}
	return []byte(text), nil
}

func mustLoad(t *testing.T, src memory, w wanted) *project {
	t.Helper()
	w.Dir = "/srv"
	p, err := composefile.Load(context.Background(), src, w)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// big has what the forms of Compose files differ in.
const big = `
name: shop
x-base: &base
  restart: unless-stopped
services:
  web:
    <<: *base
    image: app:${TAG:-1}
    ports: ["127.0.0.1:8080:80", "9000-9001:9000-9001/udp", "[::1]:7000:70", "60"]
    environment:
      PRICE: "5$$ ${WHO}"
      FROM_HOST:
    env_file: [web.env, {path: none.env, required: false}]
    label_file: [web.labels]
    depends_on: [db]
    volumes: ["data:/data", "./conf:/conf:ro", "/unnamed"]
    deploy: {replicas: 2}
    develop: {watch: [{path: ., action: rebuild}]}
    pull_policy: always
  db:
    extends: {file: common/db.yaml, service: base}
    build: ./db
  extra:
    image: extra
    profiles: [more]
volumes: {data: }
`

var bigFiles = memory{
	"/srv/compose.yaml":          big,
	"/srv/compose.override.yaml": "services: {web: {command: [serve, --all]}}",
	"/srv/web.env":               "A=1\nB=\"${WHO} $A\"\n",
	"/srv/web.labels":            "team=shop\n",
	"/srv/common/db.yaml":        "services: {base: {command: [db], env_file: [db.env]}}",
	"/srv/common/db.env":         "DB_PASSWORD=hunter2\n",
	"/srv/.env":                  "WHO=nobody\n", // read only if it is named
}

// Exactly this is given to Compose: nothing in it needs another file or a variable.
func TestResolved(t *testing.T) {
	p := mustLoad(t, bigFiles, wanted{Env: map[string]string{"WHO": "me"}})
	c, err := canonicalize(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal(c.text, &got); err != nil {
		t.Fatal(err)
	}
	const want = `
services:
  web:
    image: app:1
    command: [serve, --all]
    restart: unless-stopped
    scale: 2
    ports: ["127.0.0.1:8080:80/tcp", "9000:9000/udp", "9001:9001/udp", "[::1]:7000:70/tcp", 60/tcp]
    environment: {PRICE: 5$$ me, A: "1", B: me 1}
    labels: {team: shop, io.infrarun.compose.config: HASH}
    depends_on: {db: {condition: service_started}}
    networks: {default: }
    volumes:
    - {type: volume, source: data, target: /data}
    - {type: bind, source: /srv/conf, target: /conf, read_only: true}
    - {type: volume, target: /unnamed}
  db:
    image: shop-db
    command: [db]
    environment: {DB_PASSWORD: hunter2}
    labels: {io.infrarun.compose.config: HASH}
    networks: {default: }
networks: {default: {name: shop_default}}
volumes: {data: {name: shop_data}}
`
	var wanted map[string]any
	text := want
	for _, service := range []string{"web", "db"} {
		text = strings.Replace(text, "HASH", c.hashes[service], 1)
	}
	if err := yaml.Unmarshal([]byte(text), &wanted); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(wanted, got); d != "" {
		t.Errorf("the resolved project differs (-want +got):\n%s", d)
	}
}

func TestHash(t *testing.T) {
	hashes := func(text string, env map[string]string, content string) map[string]string {
		p := mustLoad(t, memory{"/srv/compose.yaml": text}, wanted{Env: env})
		c, err := canonicalize(p, map[string][]byte{"/srv/c1": []byte(content)})
		if err != nil {
			t.Fatal(err)
		}
		return c.hashes
	}
	const text = "name: a\nservices:\n  one: {image: x, environment: {V: $V}, networks: [n]}\n" +
		"  two: {image: x, configs: [c]}\nnetworks: {n: {internal: false}}\nconfigs: {c: {file: ./c1}}\n"
	env := map[string]string{"V": "1"}
	base := hashes(text, env, "x")
	for _, tt := range []struct {
		what    string
		now     map[string]string
		changed string
	}{
		{"the same", hashes(text, env, "x"), ""},
		{"a variable", hashes(text, map[string]string{"V": "2"}, "x"), "one"},
		{"a config's content", hashes(text, env, "y"), "two"},
		{"a network", hashes(strings.Replace(text, "internal: false", "internal: true", 1), env, "x"), "one"},
		{"how it is built", hashes(strings.Replace(text, "image: x, env", "image: x, build: ., env", 1), env, "x"), ""},
		{"how many there are", hashes(strings.Replace(text, "image: x, env", "image: x, scale: 3, env", 1), env, "x"), ""},
		{"what starts before", hashes(strings.Replace(text, "image: x, env", "image: x, depends_on: [two], env", 1), env, "x"), ""},
	} {
		var changed []string
		for _, s := range []string{"one", "two"} {
			if tt.now[s] != base[s] {
				changed = append(changed, s)
			}
		}
		if got := strings.Join(changed, ","); got != tt.changed {
			t.Errorf("%s: changed is %q, want %q", tt.what, got, tt.changed)
		}
	}
}

func TestEnvironmentComesFromWhatIsGiven(t *testing.T) {
	src := memory{
		"/srv/compose.yaml": "name: a\nservices: {s: {image: x, environment: {V: \"$A $B $C\", HOME: }}}",
		"/srv/one.env":      "A=file\nB=file\n", "/srv/two.env": "B=second ${A}\n",
	}
	t.Setenv("C", "not declared")
	w := wanted{
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
	const one = "name: a\nservices:\n  s:\n    image: x\n"
	for _, tt := range []struct{ name, file, want string }{
		{"variable that is not set", one + "    command: [\"$MISSING\"]\n", "/srv/compose.yaml:5: the variable MISSING is not set"},
		{"variable that must be set", one + "    command: [\"${M:?give it}\"]\n", "give it"},
		{"no name", "services: {s: {image: x}}", "the project has no name"},
		{"unknown key", one + "    priviledged: true\n", "priviledged"},
		{"include", one + "include: [other.yaml]\n", "/srv/compose.yaml:5: include is not supported"},
		{"remote base", one + "    extends: {file: \"https://example.com/x.yaml\", service: s}\n", "is not on this machine"},
		{"base that is not there", one + "    extends: {file: other.yaml, service: s}\n", "/srv/other.yaml"},
		{"environment file that is not there", one + "    env_file: [none.env]\n", "/srv/compose.yaml:5: service s: environment file: open /srv/none.env"},
		{"no YAML", "a: [", "/srv/compose.yaml"},
		{"alias in what it stands for", "name: a\n<<<<<<es: &s {s: *s}\n", "/srv/compose.yaml: it has more values"},
		{"another document", "- a", ""},
	} {
		_, err := composefile.Load(context.Background(), memory{"/srv/compose.yaml": tt.file}, wanted{Dir: "/srv"})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := composefile.Load(context.Background(), memory{}, wanted{Dir: "/srv"}); err == nil || !strings.Contains(err.Error(), "there is no compose file in /srv") {
		t.Errorf("no file: %v", err)
	}
	_, err := composefile.Load(context.Background(), memory{"/srv/compose.yaml": one, "/srv/e": "A='open secret"}, wanted{Dir: "/srv", EnvFiles: []string{"e"}})
	if err == nil || strings.Contains(err.Error(), "open secret") {
		t.Errorf("an environment file that cannot be read: %v", err)
	}
}

// refusing is a source of which some files may not be read.
type refusing struct {
	memory
	no string
}

var errRefused = errors.New("not declared")

func (r refusing) ReadFile(path string) ([]byte, error) {
	if path == r.no {
		return nil, errRefused
	}
	return r.memory.ReadFile(path)
}

func TestEveryFileIsAskedFor(t *testing.T) {
	for _, path := range []string{
		"/srv/compose.yaml", "/srv/compose.override.yaml", "/srv/web.env", "/srv/web.labels", "/srv/common/db.yaml", "/srv/common/db.env",
	} {
		w := wanted{Dir: "/srv", Env: map[string]string{"WHO": "me"}}
		if _, err := composefile.Load(context.Background(), refusing{bigFiles, path}, w); !errors.Is(err, errRefused) {
			t.Errorf("%s may not be read: %v", path, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(big)
	f.Add("name: a\nservices: {s: {<<: *s, image: x}}")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		src := memory{"/srv/compose.yaml": text, "/srv/web.env": "A=1"}
		p, err := composefile.Load(context.Background(), src, wanted{Dir: "/srv", Env: map[string]string{"WHO": "me"}})
		if err != nil {
			return
		}
		if _, err := composefile.Demands(p); err != nil {
			return
		}
		if c, err := canonicalize(p, nil); err == nil && len(c.hashes) != len(p.Services) {
			t.Errorf("%d hashes of %d services", len(c.hashes), len(p.Services))
		}
	})
}
