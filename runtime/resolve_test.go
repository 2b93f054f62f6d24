package runtime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

// Flag, then environment, then site file, then env/<env>.star, then the default.
func TestPrecedence(t *testing.T) {
	l := newLab(t)
	l.site = l.write("acme.star", `DEFAULTS = {"b": "site", "c": "site", "d": "site", "env": "prod"}`)
	l.write("env/prod.star", `DEFAULTS = {"a": "prod", "b": "prod", "c": "prod", "d": "prod", "when": 90}`)
	l.write("env/test.star", `DEFAULTS = {"a": "test"}`)
	name := l.write("main.star", declares(`"env": param.string(default = "test"), "z": param.string(default = "default"),
		"a": param.string(default = "default"), "b": param.string(), "c": param.string(), "d": param.string(), "when": param.duration()`))
	r, values, err := l.loadEnv(name, []string{"INFRARUN_C=environ", "INFRARUN_D=environ", "INFRARUN_A="}, "--d", "flag")
	if err != nil {
		t.Fatal(err)
	}
	profile := filepath.Join(l.recipes, "env/prod.star")
	for param, want := range map[string]Value{
		"env": {starlark.String("prod"), l.site}, "z": {starlark.String("default"), "default"}, "a": {starlark.String("prod"), profile},
		"b": {starlark.String("site"), l.site}, "c": {starlark.String("environ"), "INFRARUN_C"}, "d": {starlark.String("flag"), "--d"},
	} {
		if values[param] != want {
			t.Errorf("%s is %v, want %v", param, values[param], want)
		}
	}
	if got := plain(values["when"].V); got != "1m30s" {
		t.Errorf("when is %s", got)
	}
	if _, values, err = l.loadEnv(name, []string{"INFRARUN_ENV=test"}); err != nil || plain(values["a"].V) != "test" {
		t.Errorf("with another env, a is %v, %v", values["a"], err)
	}
	for _, env := range []string{"none", "../env/prod", "a/b", "..", ""} {
		if _, values, err = l.loadEnv(name, nil, "--env="+env); err != nil || plain(values["a"].V) != "default" {
			t.Errorf("env %q: a is %v, %v", env, values["a"], err)
		}
	}
	_ = r
}

func TestDefaultsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`DEFAULTS = {"prot": 1}`:             `acme.star: DEFAULTS["prot"]: `,
		`DEFAULTS = {"dock": True}`:          `has no such param`,
		`DEFAULTS = {"port": "x"}`:           `acme.star: DEFAULTS["port"]: got string "x", want int`,
		`DEFAULTS = {1: "x"}`:                "DEFAULTS has the key 1, want the name of a param",
		`DEFAULTS = []`:                      "acme.star: DEFAULTS is list, want a dict from param to value",
		`DEFAULTS = {"token": "hunter2222"}`: `DEFAULTS["token"]: a secret is not given in the clear`,
		`DEFAULTS = {"token": 12345678}`:     `DEFAULTS["token"]: got int, want string`,
	} {
		l := newLab(t)
		l.site = l.write("acme.star", text)
		_, _, err := l.load(declares(`"port": param.int(), "type": param.choice(["d"]), "dock": param.shorthand("type", "d"), "token": param.secret()`))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2222") || strings.Contains(err.Error(), "12345678") {
			t.Errorf("%s: %v, want an error with %q", text, err, want)
		}
	}
	l := newLab(t)
	l.site = l.write("acme.star", `DEFAULTS = {"token": "env:REAL"}`)
	_, values, err := l.loadEnv(l.write("main.star", declares(`"token": param.secret(required = True)`)), []string{"REAL=hunter2222"})
	if err != nil || plain(values["token"].V) != "hunter2222" {
		t.Errorf("a secret that a site file names: %v, %v", values, err)
	}
}

func TestRequired(t *testing.T) {
	l := newLab(t)
	name := l.write("main.star", declares(`"env": param.string(required = True), "repo": param.string(required = True), "token": param.secret(required = True), "x": param.int()`))
	r, _, err := l.loadEnv(name, []string{"INFRARUN_TOKEN="})
	wantErr(t, r, err, "main.star needs a value for --env, --repo, --token", "hint: infrarun "+name+" --help tells what they are")
	r, _, err = l.loadEnv(name, []string{"INFRARUN_TOKEN=hunter2222", "INFRARUN_ENV=x"})
	wantErr(t, r, err, "needs a value for --repo\n")
	if _, _, err = l.loadEnv(name, []string{"INFRARUN_TOKEN=hunter2222", "INFRARUN_ENV=x"}, "--repo", "r"); err != nil {
		t.Error(err)
	}
}

// What a recipe was given is told, and kept, without its secrets.
func TestParamsAreTold(t *testing.T) {
	l := newLab(t)
	name := l.write("main.star", "PARAMS = {\"a\": param.list(), \"token\": param.secret(), \"url\": param.string(), \"b\": param.bool()}\n"+nothing)
	r, values, err := l.loadEnv(name, []string{"INFRARUN_TOKEN=hunter2222"}, "--a", "x,y", "--url", "https://u:hunter2222@h/")
	if err != nil {
		t.Fatal(err)
	}
	res := &result{t: t}
	res.Outcome = r.Run(t.Context(), values, l.options(res))
	res.want(events.Succeeded, ExitDone)
	for from, got := range map[string]map[string]string{"event": res.Events(events.RunStarted)[0].Run.Params, "run.json": l.record().Run.Params} {
		for param, want := range map[string]string{"a": "x,y", "token": "[secret]", "url": "https://u:[secret]@h/", "b": "false"} {
			if got[param] != want {
				t.Errorf("%s: %s is %q, want %q", from, param, got[param], want)
			}
		}
	}
}

func TestSecretTooShortToHide(t *testing.T) {
	l := newLab(t)
	r, values, err := l.loadEnv(l.write("main.star", declares(`"my_token": param.secret()`)), []string{"INFRARUN_MY_TOKEN=abc"})
	if err != nil {
		t.Fatal(err)
	}
	res := &result{t: t}
	res.Outcome = r.Run(t.Context(), values, l.options(res))
	res.want(events.Refused, ExitRefused).wantError("--my-token: a secret of 3 bytes is too short")
	if _, err := os.Stat(l.state.Dir()); err == nil {
		t.Error("a run was begun")
	}
}
