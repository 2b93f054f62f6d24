package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/runtime/events"
)

// state describes what is in the engine, but not the ids of containers: those that come back are others.
func (c *containers) state() string {
	c.t.Helper()
	var lines []string
	for line := range strings.Lines(c.e.State()) {
		if strings.Contains(line, "<none>") {
			continue // what builds leave, for the next one
		}
		if words := strings.Fields(line); words[0] == "container" {
			if !strings.HasPrefix(words[1], "/infra-core") {
				continue // which a build has left that the engine did not live to see
			}
			line = strings.Join(append(words[:2:2], words[3:]...), " ") + "\n"
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "\n")
}

// The ways in which a console in a container can be broken.
var brokenConsoles = map[string]string{
	"exits at start": `package main

import "os"

func init() { println("broken on purpose"); os.Exit(1) }
`,
	"is not healthy": `package main

import (
	"net/http"
	"os"
)

func init() {
	if len(os.Args) > 1 {
		return
	}
	println("broken on purpose")
	http.ListenAndServe(":"+os.Getenv("INFRA_CORE_CONSOLE_PORT"), http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }))
}
`,
	"crashes, and answers in between": `package main

import (
	"os"
	"time"
)

func init() {
	if len(os.Args) == 1 {
		go func() { time.Sleep(2 * time.Second); println("broken on purpose"); os.Exit(1) }()
	}
}
`,
}

// intact returns what fails a test unless the site is as it is now.
func (c *containers) intact() func(*testing.T) {
	c.t.Helper()
	before, tree, first := c.state(), c.tree(), c.version()
	return func(t *testing.T) {
		t.Helper()
		c := c.in(t)
		if diff := cmp.Diff(before, c.state()); diff != "" {
			t.Errorf("the engine is not as it was (-before +after):\n%s", diff)
		}
		c.sameTree(tree)
		if got := c.version(); got != first {
			t.Errorf("%s answers, want %s", got, first)
		}
	}
}

// fails has version 2 fail in every way that matters: version 1 must answer afterwards.
func (c *containers) fails(t *testing.T) {
	intact := c.intact()
	for name := range brokenConsoles {
		t.Run(name, func(t *testing.T) {
			c.in(t).broken(t, name)
			intact(t)
		})
	}
	t.Run("the database is put back", func(t *testing.T) {
		c.in(t).broken(t, "exits at start", "--restore-database")
		intact(t)
	})
	t.Run("its port is taken", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		taken := l.Addr().(*net.TCPAddr).Port
		c := c.in(t)
		c.edit("docker-compose.yml", `${INFRA_CORE_CONSOLE_PORT:-8082}:8082"]`, fmt.Sprintf(`${INFRA_CORE_CONSOLE_PORT:-8082}:8082", "127.0.0.1:%d:7000"]`, taken))
		defer c.repo.reset()
		if o := c.deploy("update.star").want(3).outcome(); !strings.Contains(o.Error, fmt.Sprint(taken)) {
			t.Errorf("the error does not name the port %d:\n%s", taken, o.Error)
		}
		intact(t)
	})
	t.Run("does not build", func(t *testing.T) {
		c := c.in(t)
		c.repo.write("cmd/console/broken.go", "package main\n\nfunc init() { thisIsNoFunction() }\n")
		c.repo.commit("does not build")
		defer c.repo.reset()
		r := c.deploy("update.star").want(3)
		if !strings.Contains(r.stdout, "undefined: thisIsNoFunction") {
			t.Error("what the compiler said is nowhere")
		}
		intact(t)
	})

	c.killed(t, intact, "compose.up.called", "door.before-apply:4", "door.after-apply:5")
}

// broken tries a version 2 that is broken in one of these ways.
func (c *containers) broken(t *testing.T, name string, flags ...string) {
	c.repo.write("cmd/console/broken.go", brokenConsoles[name])
	c.repo.commit(name)
	defer c.repo.reset()
	r := c.deploy("update.star", append(flags, "--timeout=8", "--stable=4")...).want(3)
	if o := r.outcome(); o.Result != events.RolledBack || len(o.Left) > 0 || !strings.Contains(o.Error, "console") {
		t.Errorf("outcome is %+v", o)
	}
	if log := c.runLog(); !strings.Contains(log, "broken on purpose") {
		t.Errorf("what the container printed is not in the run's log:\n%s", log)
	}
}

// killed has infrarun killed in the middle of an update, and goes back.
func (c *containers) killed(t *testing.T, intact func(*testing.T), points ...string) {
	c.repo.write("cmd/console/note.go", "package main\n")
	c.repo.commit("version 2")
	defer c.repo.reset()
	for _, at := range points {
		t.Run("killed at "+at, func(t *testing.T) {
			c := c.in(t)
			c.killedAt(at+"=kill", "update.star")
			c.recover(intact, t)
		})
	}
}

// edit replaces a text in a file of the repository, and commits.
func (c *containers) edit(name, old, now string) {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.repo.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, now, 1)
	if changed == string(text) {
		c.t.Fatalf("%s has no %s", name, old)
	}
	c.repo.write(name, changed)
	c.repo.commit("change " + name)
}

// runLog returns the log of the newest run.
func (c *containers) runLog() string {
	c.t.Helper()
	logs, err := filepath.Glob(filepath.Join(c.site.state, "runs/*/deploy.log"))
	if err != nil || len(logs) == 0 {
		c.t.Fatalf("there is no log of a run: %v", err)
	}
	text, err := os.ReadFile(logs[len(logs)-1])
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// asksTooMuch deploys a project that lets a container out: that is refused, also in a preview, and nothing is changed.
func (c *containers) asksTooMuch(t *testing.T) {
	before, tree := c.e.State(), c.tree()
	for name, line := range map[string]string{
		"privileged": "privileged: true", "host path": `volumes: ["/etc:/host:ro"]`,
		"socket": `volumes: ["/var/run/docker.sock:/var/run/docker.sock"]`,
	} {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			c.edit("docker-compose.yml", "    environment: *environment\n    ports: [\"${INFRA_CORE_PUBLISH:-127.0.0.1}:${INFRA_CORE_PROBE_PORT:-8085}:8085\"]\n    volumes: [\"logs:/var/log/infra-core\"]\n",
				"    environment: *environment\n    "+line+"\n")
			defer c.repo.reset()
			text, err := os.ReadFile(filepath.Join(c.repo.dir, "docker-compose.yml"))
			if err != nil {
				t.Fatal(err)
			}
			number := 1 + strings.Count(string(text[:strings.Index(string(text), line)]), "\n")
			for _, more := range []string{"--dry-run", "--yes"} {
				o := c.deploy("update.star", more).want(5).outcome()
				for _, want := range []string{"service probe", fmt.Sprintf("docker-compose.yml:%d", number)} {
					if !strings.Contains(o.Error, want) {
						t.Errorf("with %s the error does not have %q:\n%s", more, want, o.Error)
					}
				}
			}
			if diff := cmp.Diff(before, c.e.State()); diff != "" {
				t.Error(diff)
			}
			c.sameTree(tree)
		})
	}
}

// prunes has a stranger clean up the machine while version 2 is tried: version 1 comes back, and goes on.
func (c *containers) prunes(t *testing.T) {
	first, image := c.version(), c.images+"/console:"+c.current()
	c.repo.write("cmd/console/note.go", "package main\n")
	c.repo.commit("version 2")
	file, pruned := filepath.Join(c.dir, "broken.star"), filepath.Join(c.prefix, "etc/infra-core/pruned")
	const source = `load("@stdlib//flow.star", "step")

def broken(d):
    for _ in range(600):
        if fs.exists(d.dirs.etc + "/pruned"):
            fail("broken on purpose")
        time.sleep(0.1)

def customize(flow):
    flow.after("ready", step("broken", broken))
`
	must(t, os.WriteFile(file, []byte(source), 0o644))
	p := c.start(c.args("update.star", "--site="+file)...)
	if !p.until(func(e events.Event) bool { return e.Kind == events.StepStarted && e.Step.Name == "broken" }) {
		t.Fatalf("it ended before:\n%s", p.wait().failure())
	}
	c.e.Prune()
	if c.e.ImageID(image) != "" {
		t.Errorf("%s survived: the test shows nothing", image)
	}
	must(t, os.WriteFile(pruned, nil, 0o644))
	if o := p.wait().want(3).outcome(); !strings.Contains(o.Error, "broken on purpose") {
		t.Errorf("it failed otherwise: %s", o.Error)
	}
	must(t, os.Remove(pruned))
	if got := c.version(); got != first {
		t.Errorf("%s answers, want %s", got, first)
	}
	c.repo.reset()
	c.manage("status").want(0)
	c.deploy("update.star").want(0)
}
