package runtime

import (
	"strings"
	"testing"
)

// declares returns the text of a recipe with these PARAMS.
func declares(params string) string {
	return "PARAMS = {" + params + "}\n" + nothing
}

func TestParamsAreRefused(t *testing.T) {
	tests := []struct{ name, params, want string }{
		{"no dict", ``, ""},
		{"a value", `"x": 1`, `PARAMS["x"] is int, want param.string, param.choice or another param`},
		{"no name", `1: param.string()`, "PARAMS[1]: a name has small letters, digits and _"},
		{"capital letters", `"Env": param.string()`, `PARAMS["Env"]: a name has small letters, digits and _`},
		{"a dash", `"dry-run": param.string()`, "a name has small letters, digits and _"},
		{"reserved", `"dry_run": param.bool()`, `PARAMS["dry_run"]: --dry-run is a flag of infrarun itself; choose another name`},
		{"all reserved", `"state_dir": param.path()`, "--state-dir is a flag of infrarun itself"},
		{"reserved variable", `"run": param.string()`, "infrarun sets INFRARUN_RUN itself"},
		{"reserved letter", `"yell": param.bool(short = "y")`, `PARAMS["yell"]: -y is a flag of infrarun itself`},
		{"letter taken", `"a": param.string(short = "a"), "b": param.string(short = "a")`, `PARAMS["b"]: -a belongs to PARAMS["a"]`},
		{"two letters", `"a": param.string(short = "ab")`, `short is one letter, not "ab"`},
		{"a digit", `"a": param.string(short = "1")`, `short is one letter, not "1"`},
		{"negation taken", `"x": param.bool(), "no_x": param.string()`, `PARAMS["no_x"]: --no-x belongs to PARAMS["x"]`},
		{"negation taken before", `"no_x": param.string(), "x": param.bool()`, `PARAMS["x"]: --no-x belongs to PARAMS["no_x"]`},
		{"required with a default", `"a": param.int(required = True, default = 1)`, "a required param cannot have a default"},
		{"default of another kind", `"a": param.int(default = "1")`, `PARAMS["a"]: default: got string "1", want int`},
		{"default that is no choice", `"a": param.choice(["x", "y"], default = "z")`, `default: "z" is none of x, y`},
		{"no choices", `"a": param.choice([])`, "param.choice: choices is empty"},
		{"choices of numbers", `"a": param.choice([1])`, "item 0 is int, want string"},
		{"a bad pattern", `"a": param.string(pattern = "(")`, "pattern: error parsing regexp"},
		{"a pattern for numbers", `"a": param.int(pattern = "1")`, "pattern is for texts, not for param.int"},
		{"default that does not match", `"a": param.string(pattern = "^a+$", default = "b")`, `default: "b" does not match ^a+$`},
		{"secret with a default", `"a": param.secret(default = "hunter2222")`, "a secret has no default"},
		{"shorthand for nothing", `"docker": param.shorthand("typ", "docker"), "type": param.choice(["docker"])`,
			`PARAMS["docker"]: there is no param "typ" to be short for`},
		{"shorthand for a shorthand", `"a": param.shorthand("b", "x"), "b": param.shorthand("a", "x")`, `there is no param "b" to be short for`},
		{"shorthand for a secret", `"a": param.shorthand("b", "env:X"), "b": param.secret()`, `there is no param "b" to be short for`},
		{"shorthand to what is no choice", `"a": param.shorthand("b", "z"), "b": param.choice(["x"])`, `PARAMS["a"]: "z" is none of x`},
		{"unknown argument", `"a": param.string(defualt = "x")`, `param.string: unexpected keyword argument "defualt"`},
	}
	for _, tt := range tests[1:] {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			r, _, err := l.load(declares(tt.params))
			if err == nil {
				t.Fatal("it was accepted")
			}
			if tt.name != "shorthand for nothing" && !strings.Contains(message(err), tt.want) {
				wantErr(t, r, err, tt.want)
			}
			if strings.Contains(message(err), "hunter2222") {
				t.Error("the error shows a secret")
			}
		})
	}
	l := newLab(t)
	r, _, err := l.load("PARAMS = []\n" + nothing)
	wantErr(t, r, err, "main.star: PARAMS is list, want a dict from name to param")
}

// A default counts as given in its kind, and a relative path as one in the working directory.
func TestDefaults(t *testing.T) {
	l := newLab(t)
	l.run(`
PARAMS = {
    "s": param.string(default = "x"), "i": param.int(default = 7), "f": param.float(default = 1), "b": param.bool(default = True),
    "l": param.list(default = ["a", "b"]), "p": param.path(default = "sub/../file"), "d": param.duration(default = 90),
    "c": param.choice(["x", "y"], default = "y"),
    "s0": param.string(), "i0": param.int(), "f0": param.float(), "b0": param.bool(), "l0": param.list(), "p0": param.path(),
    "d0": param.duration(), "c0": param.choice(["x"]), "t0": param.secret(),
}

def main(ctx):
    p = ctx.params
    got = [p.s, p.i, p.f, p.b, p.l, p.p, p.c, str(p.d)]
    want = ["x", 7, 1.0, True, ["a", "b"], ctx.cwd + "/file", "y", "1m30s"]
    if got != want:
        fail("got %s, want %s" % (got, want))
    got = [p.s0, p.i0, p.f0, p.b0, p.l0, p.p0, p.d0, p.c0, p.t0]
    if got != ["", None, None, False, [], "", None, None, ""]:
        fail("without a default: %s" % got)
`).want("succeeded", ExitDone)
}
