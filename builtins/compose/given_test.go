package compose

import (
	"fmt"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

// Configs and secrets that are no files come from what the recipe gives, never from what is around infrarun, and are there
// again after a rollback.
func TestGivenIsCopied(t *testing.T) {
	t.Setenv("API_TOKEN", "of-the-machine")
	b := newBed(t, composetest.Current)
	project := func(color string) {
		b.file("compose.yaml", `
name: shop
services:
  site:
    image: app:1
    stop_grace_period: 0s
    environment: {COLOR: `+color+`}
    configs: [{source: text, target: /etc/site.conf, mode: 0400, uid: "7"}, {source: var}]
    secrets: [token, {source: token, target: again}]
configs: {text: {content: "price: 5$$"}, var: {environment: WHO}}
secrets: {token: {environment: API_TOKEN}}
`)
	}
	project("red")
	b.Run(up1).Want(events.Refused).WantError(b.Dir + "/compose.yaml:10: it is the variable WHO, which is not set")
	b.Run(`compose.up(DIR, env = {"WHO": "me"})`).Want(events.Refused).WantError(b.Dir + "/compose.yaml:11: it is the variable API_TOKEN")
	up := strings.Replace(up1, "DIR", `DIR, env = {"WHO": "me", "API_TOKEN": "of-the-recipe"}`, 1)
	b.Run(up).Want(events.Succeeded)
	want := map[string]string{
		"/etc/site.conf": "7 0400 price: 5$", "/var": "0 0444 me", "/run/secrets/token": "0 0444 of-the-recipe", "/run/secrets/again": "0 0444 of-the-recipe",
	}
	b.wantCopied("brought up", want)
	state, settings := b.state(), b.settings()
	b.Preview(up).Want(events.NoChange)
	project("blue")
	b.Run(up + "\nfail(\"no\")").Want(events.RolledBack)
	b.wantSame("rolled back,", state, settings)
	b.wantCopied("rolled back", want)
	b.UndoTwice(`compose.down("shop")`)
	b.wantCopied("undone twice", want)
	b.NoTrace("of-the-recipe")
}

// wantCopied fails the test unless these files are in the site's container: owner, mode and content by path.
func (b *bed) wantCopied(when string, want map[string]string) {
	b.t.Helper()
	c := b.client()
	defer c.Close()
	for path, text := range want {
		got := ""
		f, err := readCopied(b.t.Context(), c, "shop-site-1", path)
		if err == nil && f != nil {
			got = fmt.Sprintf("%d 0%o %s", f.UID, f.Mode, f.Content)
		}
		if got != text {
			b.t.Errorf("%s, %s is %q (%v), want %q", when, path, got, err, text)
		}
	}
}

func TestCopiedLabel(t *testing.T) {
	for lines, want := range map[string]string{
		"configs: [inline, file]":                      "/inline",
		"configs: [{source: inline, target: conf/x}]":  "/conf/x",
		"configs: [{source: inline, target: /etc/x/}]": "/etc/x",
		"secrets: [var, mounted]":                      "/run/secrets/var",
		"secrets: [{source: var, target: x}]":          "/run/secrets/x",
		"command: [x]":                                 "",
	} {
		p := mustLoad(t, familytest.Files{"/srv/compose.yaml": "name: a\nservices:\n  s:\n    image: x\n    " + lines + "\n" +
			"configs: {inline: {content: x}, file: {file: ./f}}\nsecrets: {var: {environment: V}, mounted: {file: ./f}}\n"},
			composefile.Wanted{Env: map[string]string{"V": "x"}})
		if got := copied(p, p.Services["s"]); got != want {
			t.Errorf("%s: copied to %q, want %q", lines, got, want)
		}
	}
}

// What version 1 would leave out without a word, or takes for something else, is no surprise in a run.
func TestVersionOneLeavesNothingOut(t *testing.T) {
	b := newBed(t, composetest.One)
	const site = "name: shop\nservices:\n  site:\n    image: app:1\n    stop_grace_period: 0s\n"
	for lines, want := range map[string]string{
		"    configs: [c]\nconfigs: {c: {file: ./compose.yaml}}\n": ":6: service site has configs, which docker-compose 1",
		"    deploy: {resources: {limits: {pids: 5}}}\n":           ":6: service site has the limit pids",
		"    secrets: [s]\nsecrets: {s: {external: true}}\n":       ":7: service site: the secret s is external, which only a swarm has",
		"    secrets: [s]\nsecrets: {s: {environment: WHO}}\n":     "docker-compose 1",
	} {
		b.file("compose.yaml", site+lines)
		b.Grant("docker", "host-path:"+b.Dir, "secret:s")
		b.Preview(`compose.up(DIR, env = {"WHO": "me"})`).Want(events.Refused).WantError(want)
	}
	b.file("compose.yaml", site+"    volumes: [\"./made:/made\"]\n"+
		"  beside: {image: \"app:1\", stop_grace_period: 0s, network_mode: \"service:site\", environment: {PORT: \"81\"}}\n"+
		"  front: {image: \"app:1\", stop_grace_period: 0s, links: [\"site:web\"]}\n")
	b.Run(up1).Want(events.Succeeded)
	b.Preview(up1).Want(events.NoChange)
	b.file("compose.yaml", site+"    environment: {A: \"=\", B: \"0o17\", C: \"12:30:45\", D: \"yes\", E: \"1_0\", F: \"~\", G: \"é😀\\u0085x\", H: \".inf\", I: \"<<\"}\n")
	b.Run(up1).Want(events.Succeeded)
	env := strings.Join(b.containers()[0].Config.Env, "\n")
	for _, entry := range []string{"A==", "B=0o17", "C=12:30:45", "D=yes", "E=1_0", "F=~", "G=é😀\u0085x", "H=.inf", "I=<<"} {
		if !strings.Contains(env+"\n", entry+"\n") {
			t.Errorf("the environment lacks %q:\n%q", entry, env)
		}
	}
}
