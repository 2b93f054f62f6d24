package runtime

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.starlark.net/starlark"
)

const manyParams = `

PARAMS = {
    "s": param.string(short = "s", pattern = "^[a-z]*$"),
    "i": param.int(),
    "f": param.float(),
    "b": param.bool(default = True),
    "off": param.bool(),
    "l": param.list(),
    "p": param.path(positional = True),
    "q": param.string(positional = True),
    "d": param.duration(),
    "type": param.choice(["docker", "binary"]),
    "docker": param.shorthand("type", "docker"),
    "binary": param.shorthand("type", "binary", help = "build it here"),
    "token": param.secret(),
    "two_words": param.string(),
}

`

// Each kind of parameter from the command line, and the same from the environment.
func TestFlags(t *testing.T) {
	tests := []struct {
		args []string
		env  string // the same from the environment; "": there is no such way
		name string
		want string
	}{
		{[]string{"--s", "abc"}, "INFRARUN_S=abc", "s", `"abc"`},
		{[]string{"-s", "abc"}, "", "s", `"abc"`},
		{[]string{"--s="}, "", "s", `""`},
		{[]string{"--i", "-7"}, "INFRARUN_I=-7", "i", "-7"},
		{[]string{"--f", "1.5"}, "INFRARUN_F=1.5", "f", "1.5"},
		{[]string{"--b"}, "INFRARUN_B=yes", "b", "True"},
		{[]string{"--b=false"}, "INFRARUN_B=0", "b", "False"},
		{[]string{"--no-b"}, "INFRARUN_B=off", "b", "False"},
		{[]string{"--no-b=false"}, "", "b", "True"},
		{[]string{"--off"}, "INFRARUN_OFF=TRUE", "off", "True"},
		{[]string{"--b", "--b"}, "", "b", "True"},
		{[]string{"--i", "1", "--i", "2"}, "", "i", "2"},
		{[]string{"--l", "a", "--l", "b,c"}, "INFRARUN_L=a, b,,c", "l", `["a", "b", "c"]`},
		{[]string{"--p", "/x/../y"}, "INFRARUN_P=/y/", "p", `"/y"`},
		{[]string{"--p", "sub/file"}, "INFRARUN_P=./sub//file", "p", `"CWD/sub/file"`},
		{[]string{"sub/file"}, "", "p", `"CWD/sub/file"`},
		{[]string{"/a", "second"}, "", "q", `"second"`},
		{[]string{"--d", "1m30s"}, "INFRARUN_D=90s", "d", `1m30s`},
		{[]string{"--type", "docker"}, "INFRARUN_TYPE=docker", "type", `"docker"`},
		{[]string{"--docker"}, "", "type", `"docker"`},
		{[]string{"--binary", "--type=binary"}, "", "type", `"binary"`},
		{[]string{"--two-words", "x"}, "INFRARUN_TWO_WORDS=x", "two_words", `"x"`},
		{nil, "INFRARUN_TOKEN=hunter2222", "token", `"hunter2222"`},
		{[]string{"--token", "file:secret.txt"}, "", "token", `"from a file"`},
	}
	l := newLab(t)
	name := l.write("main.star", manyParams+nothing)
	l.write("secret.txt", "from a file\r\n")
	for _, tt := range tests {
		want := strings.ReplaceAll(tt.want, "CWD", l.recipes)
		check := func(from string, environ []string, args ...string) {
			t.Helper()
			r, values, err := l.loadEnv(name, environ, args...)
			if err != nil {
				t.Errorf("%s: %v", from, err)
				return
			}
			if got := values[tt.name].V.String(); got != want {
				t.Errorf("%s: %s is %s, want %s", from, tt.name, got, want)
			}
			wantFrom := "--" + r.param(tt.name).Flag()
			if len(args) == 0 {
				wantFrom, _, _ = strings.Cut(tt.env, "=")
			}
			if got := values[tt.name].From; got != wantFrom {
				t.Errorf("%s: it is from %s, want %s", from, got, wantFrom)
			}
		}
		if tt.args != nil {
			check(strings.Join(tt.args, " "), nil, tt.args...)
		}
		if tt.env != "" {
			check(tt.env, []string{tt.env})
		}
	}
}

func TestFlagsAreRefused(t *testing.T) {
	tests := []struct {
		args []string
		env  string
		want string
	}{
		{[]string{"--i", "x"}, "INFRARUN_I=x", `"x" is no whole number`},
		{[]string{"--i", "99999999999999999999"}, "", "is no whole number"},
		{[]string{"--f", "x"}, "INFRARUN_F=NaN", "is no number"},
		{[]string{"--f", "inf"}, "", "is no number"},
		{[]string{"--b=perhaps"}, "INFRARUN_B=perhaps", `"perhaps" is neither true nor false`},
		{[]string{"--d", "90"}, "INFRARUN_D=90", `"90" is no duration such as 90s or 1m30s`},
		{[]string{"--d", "-5s"}, "INFRARUN_D=-5s", "is negative"},
		{[]string{"--s", "UP"}, "INFRARUN_S=UP", `"UP" does not match ^[a-z]*$`},
		{[]string{"--p", "a\x00b"}, "", "has a NUL byte"},
		{[]string{"--type", "dokcer"}, "INFRARUN_TYPE=dokcer", `"dokcer" is none of docker, binary (did you mean "docker"?)`},
		{[]string{"--docker", "--binary"}, "", "--docker and --binary contradict each other"},
		{[]string{"--docker=false"}, "", "takes no value; give --type another one instead"},
		{[]string{"--b", "--no-b"}, "", "--b and --no-b contradict each other"},
		{[]string{"a", "b", "c"}, "", `unexpected argument "c"`},
		{[]string{"--token", "hunter2222"}, "", "--token: a secret is not given in the clear"},
		{[]string{"--token", "env:NO_SUCH"}, "", "--token: the environment variable NO_SUCH is not set"},
		{[]string{"--token", "env:EMPTY"}, "EMPTY=", "the environment variable EMPTY is not set"},
		{[]string{"--token", "file:none"}, "", "--token: read the secret: open "},
		{[]string{"--token", "file:huge"}, "", "is longer than 1048576 bytes"},
	}
	l := newLab(t)
	name := l.write("main.star", manyParams+nothing)
	l.write("huge", strings.Repeat("x", maxSecret+1))
	for _, tt := range tests {
		check := func(environ []string, args ...string) {
			t.Helper()
			_, _, err := l.loadEnv(name, environ, args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v %v: %v, want an error with %q", environ, args, err, tt.want)
			} else if strings.Contains(err.Error(), "hunter2222") {
				t.Errorf("%v: the error shows the secret: %v", args, err)
			}
		}
		check([]string{tt.env}, tt.args...)
		if !strings.HasPrefix(tt.env, "INFRARUN_") {
			continue
		}
		check([]string{tt.env})
	}
}

// What a secret is checked for must not show it.
func TestSecretThatDoesNotMatch(t *testing.T) {
	l := newLab(t)
	name := l.write("main.star", declares(`"token": param.secret(pattern = "^ghp_")`))
	_, _, err := l.loadEnv(name, []string{"INFRARUN_TOKEN=hunter2222"})
	if err == nil || !strings.Contains(err.Error(), "INFRARUN_TOKEN: it does not match ^ghp_") || strings.Contains(err.Error(), "hunter2222") {
		t.Errorf("got %v", err)
	}
}

func TestHelpOfFlags(t *testing.T) {
	l := newLab(t)
	r, _, err := l.load(manyParams + nothing)
	if err != nil {
		t.Fatal(err)
	}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	r.AddFlags(set)
	wantParts(t, "help", set.FlagUsages(),
		"-s, --s string", "--no-b", "not --b", "--type docker|binary", "the same as --type docker", "build it here",
		"--l item,…", "--token env:NAME|file:PATH", "--two-words string", "(default true)")
	if strings.Contains(set.FlagUsages(), "--no-off") {
		t.Error("it shows how to turn off what is off")
	}
}

func FuzzParamParse(f *testing.F) {
	for _, text := range []string{"", "1", "-1", "1e9", "x,y,,", "true", "1m30s", "/a/../b", "\x00", "docker", strings.Repeat("9", 40)} {
		f.Add(text)
	}
	kinds := []ParamKind{StringParam, IntParam, FloatParam, BoolParam, ListParam, PathParam, DurationParam, SecretParam, ChoiceParam}
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range kinds {
			p := &ParamSpec{Name: "p", Kind: kind}
			if kind == ChoiceParam {
				p.Choices = []string{"docker", "binary"}
			}
			v, err := p.Parse(text, "/work")
			if err != nil {
				continue
			}
			again, err := p.Check(v, "/work")
			if err != nil {
				t.Errorf("%s %q: its value %s is refused: %v", kind, text, v, err)
			} else if same, err := starlark.Equal(v, again); err != nil || !same {
				t.Errorf("%s %q: %s became %s", kind, text, v, again)
			}
			if kind == PathParam && text != "" && !filepath.IsAbs(string(v.(starlark.String))) {
				t.Errorf("%q gives the relative path %s", text, v)
			}
		}
	})
}
