package runtime

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestPermissions(t *testing.T) {
	const put = "\n\ndef main(ctx):\n    box.put(DIR + \"/x/a\", \"1\")\n"
	tests := []struct {
		name, body string
		args       []string
		ok         bool
	}{
		{"none", `PARAMS = {}` + put, nil, false},
		{"empty", `PERMISSIONS = {}` + put, nil, false},
		{"literal", `PERMISSIONS = {"box": [DIR + "/x"]}` + put, nil, true},
		{"another", `PERMISSIONS = {"box": [DIR + "/y"]}` + put, nil, false},
		{"value of a param", "PARAMS = {\"d\": param.path()}\nPERMISSIONS = {\"box\": [\"{d}\"]}" + put, []string{"--d", "../machine/x"}, true},
		{"value of a param, another", "PARAMS = {\"d\": param.path()}\nPERMISSIONS = {\"box\": [\"{d}\"]}" + put, []string{"--d", "../machine/y"}, false},
		{"function", "PARAMS = {\"d\": param.string()}\ndef PERMISSIONS(ctx):\n    return {\"box\": [ctx.cwd + \"/../machine/\" + ctx.params.d] if False else [DIR + \"/\" + ctx.params.d]}" + put,
			[]string{"--d", "x"}, true},
		{"function, another", "PARAMS = {\"d\": param.string()}\ndef PERMISSIONS(ctx):\n    return {\"box\": [DIR + \"/\" + ctx.params.d]}" + put,
			[]string{"--d", "y"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			if err := os.Mkdir(l.path("x"), 0o755); err != nil {
				t.Fatal(err)
			}
			if tt.ok {
				l.run(tt.body, tt.args...).want(events.Succeeded, ExitDone)
				return
			}
			l.run(tt.body, tt.args...).want(events.DeniedRun, ExitDenied).wantError("machine/x/a is not declared by the recipe")
		})
	}
}

func TestPermissionsAreRefused(t *testing.T) {
	for name, tt := range map[string]struct{ declared, want string }{
		"no dict":           {`PERMISSIONS = ["box"]`, "main.star: PERMISSIONS is list, want a dict from kind to a list of patterns"},
		"unknown kind":      {`PERMISSIONS = {"bxo": []}`, `PERMISSIONS: there is no kind "bxo"`},
		"a text":            {`PERMISSIONS = {"box": "/x"}`, `PERMISSIONS["box"]: got a string, want a list of strings: ["/x"]`},
		"a number":          {`PERMISSIONS = {"box": [1]}`, `PERMISSIONS["box"]: item 0 is int, want string`},
		"function, no dict": {"def PERMISSIONS(ctx):\n    pass", "main.star: PERMISSIONS is NoneType, want a dict"},
		"function fails":    {"def PERMISSIONS(ctx):\n    fail(\"no\")", "main.star:3:9: fail: no"},
		"function reaches the machine": {"def PERMISSIONS(ctx):\n    return {\"box\": [box.get(\"/x\")]}",
			"main.star:3:28: box.get: cannot be called while a recipe is loaded"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			r, _, err := l.load(tt.declared + "\n" + nothing)
			wantErr(t, r, err, tt.want)
		})
	}
	for name, tt := range map[string]struct{ pattern, want string }{
		"relative":     {`"x/y"`, "PERMISSIONS: box: "},
		"unknown name": {`"/{dir}"`, "dir"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			for _, how := range []execution{(*Recipe).Preview, (*Recipe).Run} {
				l.execute(t.Context(), how, "PERMISSIONS = {\"box\": ["+tt.pattern+"]}\n"+nothing, nil).
					want(events.Refused, ExitRefused).wantError(tt.want)
			}
			if _, err := os.Stat(l.state.Dir()); err == nil {
				t.Error("a run was begun")
			}
		})
	}
}

func TestPolicyFile(t *testing.T) {
	l := newLab(t)
	for text, want := range map[string]string{
		`x = 1`:                           "policy.star: it has neither ALLOW nor DENY, so it would bound nothing",
		`ALLOW = []`:                      "policy.star: ALLOW is list, want a dict",
		`DENY = {"bxo": []}`:              `policy.star: DENY: there is no kind "bxo"`,
		`DENY = {"box": ["relative"]}`:    "relative",
		`ALLOW = {"box": [1 // 0]}`:       "policy.star:1:20:",
		`load("none.star", "x")`:          "none.star: there is no such module",
		`ALLOW = {"box": [box.get("x")]}`: "box.get: cannot be called while a recipe is loaded",
	} {
		l.policy = l.write("policy.star", text)
		r, _, err := l.load(nothing)
		wantErr(t, r, err, want)
	}
	l.policy = filepath.Join(l.recipes, "no/policy.star")
	r, _, err := l.load(nothing)
	wantErr(t, r, err, "policy "+l.policy+": ")
	l.policy = filepath.Join(l.recipes, "nopolicy.star")
	r, _, err = l.load(nothing)
	wantErr(t, r, err, "nopolicy.star: there is no such module")

	// A policy that allows nothing of a kind.
	l.policy = l.write("policy.star", `ALLOW = {"box": []}`)
	l.run(`box.put(DIR + "/a", "1")`).want(events.DeniedRun, ExitDenied).wantError("is not allowed by the policy " + l.policy)
}

// What was declared, and cannot be read any more, keeps no change from being undone.
func TestRollbackWithPermissionsThatCannotBeRead(t *testing.T) {
	l := newLab(t)
	const body = "PARAMS = {\"d\": param.string(), \"token\": param.secret()}\nPERMISSIONS = {\"box\": [\"{d}\", DIR]}\n" +
		"def main(ctx):\n    rollback.push(box.put, DIR + \"/b\", \"1\")\n    box.put(DIR + \"/a\", \"1\")\n"
	name := l.write("main.star", l.module(body))
	r, values, err := l.loadEnv(name, []string{"INFRARUN_TOKEN=hunter2222"}, "--d", "/srv/hunter2222")
	if err != nil {
		t.Fatal(err)
	}
	run := &result{t: t}
	run.Outcome = r.Run(t.Context(), values, l.options(run))
	run.want(events.Succeeded, ExitDone)
	back := l.rollback("").want(events.Incomplete, ExitIncomplete)
	wantParts(t, "log", back.logs("warn"), "PERMISSIONS cannot be read, so its rollback functions may reach nothing")
	if len(back.Left) != 1 || back.Left[0].Call != "rollback.push" {
		t.Errorf("left %+v", back.Left)
	}
	l.wantTree("")
}
