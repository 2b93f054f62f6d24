package compose

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

func mustLoad(t *testing.T, src familytest.Files, w composefile.Wanted) *project {
	t.Helper()
	w.Dir = "/srv"
	p, err := composefile.Load(t.Context(), src, w)
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
    volumes: ["data:/data", "./conf:/conf:ro", "./more:/more:rslave", "/unnamed"]
    deploy: {replicas: 2}
    develop: {watch: [{path: ., action: rebuild}]}
    pull_policy: always
  db:
    extends: {file: common/db.yaml, service: base}
    build: ./db
  beside:
    image: beside
    network_mode: service:web
    pid: service:web
  front:
    image: front
    links: ["web:site", db]
    depends_on: {db: {condition: service_started}}
  extra:
    image: extra
    profiles: [more]
volumes: {data: }
`

var bigFiles = familytest.Files{
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
	p := mustLoad(t, bigFiles, composefile.Wanted{Env: map[string]string{"WHO": "me"}})
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
    - /srv/conf:/conf:ro
    - {type: bind, source: /srv/more, target: /more, bind: {propagation: rslave}}
    - {type: volume, target: /unnamed}
  db:
    image: shop-db
    command: [db]
    environment: {DB_PASSWORD: hunter2}
    labels: {io.infrarun.compose.config: HASH}
    networks: {default: }
  beside:
    image: beside
    labels: {io.infrarun.compose.config: HASH}
    network_mode: service:web
    pid: service:web
  front:
    image: front
    labels: {io.infrarun.compose.config: HASH}
    links: ["web:site", db]
    depends_on: {db: {condition: service_started}}
    networks: {default: }
networks: {default: {name: shop_default}}
volumes: {data: {name: shop_data}}
`
	var wanted map[string]any
	text := want
	for _, service := range []string{"web", "db", "beside", "front"} {
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
		p := mustLoad(t, familytest.Files{"/srv/compose.yaml": text}, composefile.Wanted{Env: env})
		c, err := canonicalize(p, map[string][]byte{"/srv/c1": []byte(content)})
		if err != nil {
			t.Fatal(err)
		}
		return c.hashes
	}
	const text = "name: a\nservices:\n  one: {image: x, environment: {V: $V}, networks: [n]}\n" +
		"  two: {image: x, configs: [c], volumes: [\"vol:/v\"]}\nnetworks: {n: {internal: false}}\nvolumes: {vol: }\nconfigs: {c: {file: ./c1}}\n"
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
		{"a volume", hashes(strings.Replace(text, "volumes: {vol: }", "volumes: {vol: {name: w}}", 1), env, "x"), "two"},
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

// What is written for Compose names each service, whatever the project is.
func FuzzCanonicalize(f *testing.F) {
	f.Add(big)
	f.Fuzz(func(t *testing.T, text string) {
		src := familytest.Files{"/srv/compose.yaml": text, "/srv/web.env": "A=1"}
		p, err := composefile.Load(t.Context(), src, composefile.Wanted{Dir: "/srv", Env: map[string]string{"WHO": "me"}})
		if err != nil {
			return
		}
		if c, err := canonicalize(p, nil); err == nil && len(c.hashes) != len(p.Services) {
			t.Errorf("%d hashes of %d services", len(c.hashes), len(p.Services))
		}
	})
}
