package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// TestRefusals are deployments that must be refused with a clear error, before anything is changed.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	taken := stranger.Addr().(*net.TCPAddr).Port
	policy := filepath.Join(s.dir, "policy.star")
	if err := os.WriteFile(policy, []byte("ALLOW = {\"exec\": [\"git\"]}\n"), 0o644); err != nil {
		t.Fatal(err)
	}

	for _, test := range []struct {
		name string
		args []string
		code int
		want []string
	}{
		{"unknown flag", []string{"--brnach=main"}, 1, []string{"--brnach", "--branch"}},
		{"bad value", []string{"--type=dokcer"}, 1, []string{"dokcer", "docker"}},
		{"no such repository", []string{"--repo=" + filepath.Join(s.dir, "nowhere")}, 1, []string{"nowhere", "initialise.star"}},
		{"no such branch", []string{"--branch=mian"}, 1, []string{"mian", "main"}},
		{"port taken by a stranger", []string{fmt.Sprintf("--orch-port=%d", taken)}, 1, []string{fmt.Sprint(taken), "orch", "stop what holds"}},
		{"units below a prefix", []string{"--supervisor=systemd"}, 1, []string{"units of systemd", "--prefix /"}},
		{"policy", []string{"--policy=" + policy}, 5, []string{"policy.star", "go"}},
		{"site file that is missing", []string{"--site=acme.star"}, 1, []string{"acme.star"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := s.in(t)
			r := s.deploy("deploy.star", test.args...).want(test.code)
			text := r.outcome().Error + r.failure() + r.hints()
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("the error lacks %q:\n%s", want, text)
				}
			}
			if left := s.tree(); len(left) != 1 {
				t.Errorf("the refusal left %v", left)
			}
		})
	}
}

func (r *result) hints() string {
	var b strings.Builder
	for _, e := range r.events {
		if e.Check != nil {
			b.WriteString(e.Check.Hint + "\n")
		}
	}
	return b.String()
}

// TestSite customizes a deployment without editing the recipe.
func TestSite(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	site := filepath.Join(s.dir, "acme.star")
	write := func(body string) {
		t.Helper()
		source := "load(\"@stdlib//checks.star\", \"check\", \"failed\", \"passed\")\nload(\"@stdlib//flow.star\", \"step\")\n\n" + body
		if err := os.WriteFile(site, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	for name, test := range map[string]struct{ body, want string }{
		"step":  {"def customize(flow):\n    flow.skip(\"bakcup\")\n", "environment, backup, code"},
		"check": {"def customize(flow):\n    flow.remove_check(\"disc\")\n", "ports, disk, memory"},
		"param": {"DEFAULTS = {\"kep\": 3}\n", "did you mean \"keep\""},
	} {
		t.Run("wrong name of a "+name, func(t *testing.T) {
			write(test.body)
			if o := s.deploy("deploy.star", "--site="+site, "--dry-run").want(1).outcome(); !strings.Contains(o.Error, test.want) {
				t.Errorf("the error does not list %q:\n%s", test.want, o.Error)
			}
		})
	}

	write(`def announce(d):
    log.info("acme deploys " + d.release().short)

def lenient(d):
    return failed("always", hint = "none")

def customize(flow):
    flow.before("preflight", step("announce", announce, title = "Announce"))
    flow.skip("backup")
    flow.replace("final", lambda d: log.info("done at acme"))
    flow.add_check(check("acme", lenient, title = "Acme", weight = 30))
    flow.change_check("disk", weight = 1)
    flow.threshold(70)
`)
	r := s.deploy("deploy.star", "--site="+site).want(0)
	var said, steps []string
	var score *events.Score
	for _, e := range r.events {
		switch e.Kind {
		case events.Log:
			said = append(said, e.Text)
		case events.StepStarted:
			steps = append(steps, e.Step.Name)
		case events.Scored:
			score = e.Score
		}
	}
	if text := strings.Join(said, "\n"); !strings.Contains(text, "acme deploys ") || !strings.Contains(text, "done at acme") {
		t.Errorf("the site's steps did not run: %s", text)
	}
	if got := strings.Join(steps, " "); got != "initialise plan announce preflight dependencies environment code ready health final" {
		t.Errorf("steps are %s", got)
	}
	// 100 - 10 (disk) + 1 of 121 pass.
	if score == nil || score.Threshold != 70 || score.Percent < 75 || score.Percent > 76 || !score.OK {
		t.Errorf("score is %+v", score)
	}

	t.Run("threshold", func(t *testing.T) {
		before := s.tree()
		write("def customize(flow):\n    flow.add_check(check(\"acme\", lambda d: failed(\"no\"), weight = 34))\n")
		s.repo.write("cmd/snap/note.go", "package main\n")
		s.repo.commit("version 2")
		if o := s.deploy("deploy.star", "--site="+site).want(3).outcome(); !strings.Contains(o.Error, "74.6 %") {
			t.Errorf("the error lacks the score:\n%s", o.Error)
		}
		s.sameTree(before)
	})
}

// TestExampleSite previews a deployment with the site file that comes along.
func TestExampleSite(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	r := s.deploy("deploy.star", "--site=recipes/sites/example.star", "--dry-run").want(2)
	if !strings.Contains(r.stdout, "Orchestrator is quick") {
		t.Error("the example's check did not run")
	}
}

// TestEditedCopy changes a step in a copy of the recipes and runs that.
func TestEditedCopy(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	s.command("init", "mine").Run()
	name := filepath.Join(s.dir, "mine/steps/plan.star")
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(source), "def plan(d):\n", "def plan(d):\n    log.info(\"this copy was edited\")\n", 1)
	edited = strings.Replace(edited, "    \"\"\"Shows the plan and asks whether to go on.\"\"\"\n", "", 1)
	if err := os.WriteFile(name, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	r := s.infrarun(append([]string{"mine/deploy.star", "--dry-run"}, s.flags...)...).want(2)
	if !strings.Contains(r.stdout, "this copy was edited") {
		t.Errorf("the edited copy did not run as edited")
	}
	for _, e := range r.events {
		if e.Run != nil && e.Run.Source != "disk" {
			t.Errorf("the recipe is said to come from %s", e.Run.Source)
		}
	}
}
