package runtime

import (
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"
)

type everything struct {
	Text   string            `arg:"text" doc:"a text"`
	Number int               `arg:"number" default:"7" doc:"a number"`
	Big    int64             `arg:"big" default:"-1" doc:"a number"`
	Part   float64           `arg:"part" default:"0.5" doc:"a number"`
	On     bool              `arg:"on" default:"true" doc:"a switch"`
	Off    bool              `arg:"off" default:"false" doc:"a switch"`
	Label  string            `arg:"label" default:"x" doc:"a text"`
	Any    starlark.Value    `arg:"any" default:"" doc:"anything"`
	Fn     starlark.Callable `arg:"fn" default:"" doc:"a function"`
	List   *starlark.List    `arg:"list" default:"" doc:"a list"`
	Dict   *starlark.Dict    `arg:"dict" default:"" doc:"a dict"`
	Names  Strings           `arg:"names" default:"" doc:"texts"`
	Env    StringMap         `arg:"env" default:"" doc:"texts by name"`
	Mode   FileMode          `arg:"mode" default:"0644" doc:"bits"`
	Wait   Seconds           `arg:"wait" default:"1m30s" doc:"a time"`
	Rest   starlark.Tuple    `arg:"*rest" doc:"more"`
	More   []starlark.Tuple  `arg:"**more" doc:"more by name"`
}

// evaluate calls a builtin that takes everything and returns what it got.
func evaluate(t *testing.T, call string) (got everything, err error) {
	t.Helper()
	b := Define(Builtin{Name: "take", Pure: true}, func(_ *Call, a everything) (starlark.Value, error) {
		got = a
		return nil, nil
	})
	th, stop := newThread(&task{ctx: t.Context()}, "test")
	defer stop()
	globals := starlark.StringDict{"take": starlark.NewBuiltin("take", b.enter)}
	_, err = starlark.ExecFileOptions(dialect, th, "test.star", call, globals)
	return got, err
}

func TestArguments(t *testing.T) {
	tests := map[string]func(a everything) bool{
		`take("a")`: func(a everything) bool {
			return a.Text == "a" && a.Number == 7 && a.Big == -1 && a.Part == 0.5 && a.On && !a.Off && a.Label == "x" && a.Any == nil &&
				a.Fn == nil && a.List == nil && a.Names == nil && a.Mode == FileMode{0o644, true} && a.Wait.Duration == 90*time.Second
		},
		`take(text = "a", number = None, on = None, label = None, mode = None, names = None)`: func(a everything) bool {
			return a.Number == 7 && a.On && a.Label == "x" && a.Mode.Bits == 0o644 && a.Names == nil
		},
		`take("a", 1, 2, 3.0, False, True, "")`: func(a everything) bool {
			return a.Number == 1 && a.Big == 2 && a.Part == 3 && !a.On && a.Off && a.Label == ""
		},
		`take("a", any = 1, fn = len, list = [1], dict = {1: 2})`: func(a everything) bool {
			return a.Any == starlark.Value(starlark.MakeInt(1)) && a.Fn.Name() == "len" && a.List.Len() == 1 && a.Dict.Len() == 1
		},
		`take("a", names = ["b", "c"], env = {"k": "v"})`: func(a everything) bool {
			return reflect.DeepEqual(a.Names, Strings{"b", "c"}) && reflect.DeepEqual(a.Env, StringMap{"k": "v"})
		},
		`take("a", names = ("b",))`:       func(a everything) bool { return len(a.Names) == 1 },
		`take("a", names = set(["b"]))`:   func(a everything) bool { return len(a.Names) == 1 },
		`take("a", mode = 0o4755)`:        func(a everything) bool { return a.Mode.Bits == 0o755|fs.ModeSetuid },
		`take("a", mode = "1777")`:        func(a everything) bool { return a.Mode.Bits == 0o777|fs.ModeSticky },
		`take("a", mode = "2750")`:        func(a everything) bool { return a.Mode.Bits == 0o750|fs.ModeSetgid },
		`take("a", wait = 2)`:             func(a everything) bool { return a.Wait.Duration == 2*time.Second },
		`take("a", wait = 0.5)`:           func(a everything) bool { return a.Wait.Duration == time.Second/2 },
		`take("a", wait = "1h")`:          func(a everything) bool { return a.Wait.Duration == time.Hour },
		`take("a", other = 1, text2 = 2)`: func(a everything) bool { return len(a.More) == 2 && a.More[0][0] == starlark.String("other") },
		`take(*(["a"] + [None] * 14 + [1, 2]))`: func(a everything) bool {
			return len(a.Rest) == 2 && a.Rest[1] == starlark.Value(starlark.MakeInt(2))
		},
	}
	for call, ok := range tests {
		if got, err := evaluate(t, call); err != nil || !ok(got) {
			t.Errorf("%s: %+v, %v", call, got, err)
		}
	}
}

func TestArgumentsAreRefused(t *testing.T) {
	for call, want := range map[string]string{
		`take()`:                         "take: missing argument for text",
		`take(None)`:                     "take: for parameter text: got NoneType, want string",
		`take(1)`:                        "take: for parameter text: got int, want string",
		`take("a", text = "b")`:          `take: got multiple values for keyword argument "text"`,
		`take("a", number = "1")`:        `take: for parameter "number": got string, want int`,
		`take("a", number = 1 << 70)`:    "out of range",
		`take("a", part = 1)`:            `take: for parameter "part": got int, want float`,
		`take("a", on = 1)`:              `take: for parameter "on": got int, want bool`,
		`take("a", names = "b")`:         `got a string, want a list of strings: ["b"]`,
		`take("a", names = {"b": 1})`:    "got dict, want a list of strings",
		`take("a", names = 1)`:           "got int, want a list of strings",
		`take("a", names = ["b", 1])`:    "item 1 is int, want string",
		`take("a", env = ["b"])`:         "got list, want dict",
		`take("a", env = {1: "b"})`:      "key 1 is int, want string",
		`take("a", env = {"k": 1})`:      `value of "k" is int, want string`,
		`take("a", mode = "9")`:          `"9" is no octal mode such as "0644"`,
		`take("a", mode = "")`:           "is no octal mode",
		`take("a", mode = 0o10000)`:      "mode 010000 has more than permission bits",
		`take("a", mode = -1)`:           "-1 is no mode",
		`take("a", mode = [])`:           `got list, want a mode such as "0644"`,
		`take("a", wait = "5")`:          `"5" is no duration such as "1m30s"`,
		`take("a", wait = -1)`:           "is negative",
		`take("a", wait = "-1s")`:        "is negative",
		`take("a", wait = 1 << 60)`:      "seconds are too many",
		`take("a", wait = -(1 << 60))`:   "seconds are too many",
		`take("a", wait = 1e300)`:        "seconds are too many",
		`take("a", wait = float("nan"))`: "seconds are too many",
		`take("a", wait = None, fn = 1)`: `take: for parameter "fn": got int, want callable`,
		`take("a", wait = True)`:         "got bool, want seconds or a duration",
	} {
		_, err := evaluate(t, call)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", call, err, want)
		}
	}
}

func TestSignature(t *testing.T) {
	b := Define(Builtin{Name: "box.take", Doc: "Takes it. And more."}, func(*Call, everything) (starlark.Value, error) { return nil, nil })
	want := `box.take(text, number = 7, big = -1, part = 0.5, on = True, off = False, label = "x", any = None, fn = None, list = None, ` +
		`dict = None, names = None, env = None, mode = "0644", wait = "1m30s", *rest, **more)`
	if got := b.Signature(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if b.Summary() != "Takes it." {
		t.Errorf("summary %q", b.Summary())
	}
	var types []string
	for _, p := range b.Params {
		types = append(types, p.Type)
		if p.Doc == "" {
			t.Errorf("%s has no documentation", p.Name)
		}
	}
	if got := strings.Join(types, ", "); got != "string, int, int, float, bool, bool, string, any, function, list, dict, list of string, "+
		"dict of string, mode, seconds, values, values by name" {
		t.Errorf("types: %s", got)
	}
}

// A mistake in a declaration is found when the family is linked.
func TestBadDefault(t *testing.T) {
	for name, define := range map[string]func(){
		"int": func() {
			Define(Builtin{Name: "x"}, func(*Call, struct {
				A int `arg:"a" default:"x"`
			}) (starlark.Value, error) {
				return nil, nil
			})
		},
		"mode": func() {
			Define(Builtin{Name: "x"}, func(*Call, struct {
				A FileMode `arg:"a" default:"x"`
			}) (starlark.Value, error) {
				return nil, nil
			})
		},
		"dict": func() {
			Define(Builtin{Name: "x"}, func(*Call, struct {
				A *starlark.Dict `arg:"a" default:"x"`
			}) (starlark.Value, error) {
				return nil, nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "x: default of a: ") {
					t.Errorf("it panicked with %v", p)
				}
			}()
			define()
		})
	}
}

func TestFirstSentence(t *testing.T) {
	for doc, want := range map[string]string{
		"One. Two.": "One.", "One.\nTwo.": "One.", "  One\ntwo. Three": "One\ntwo.", "no end": "no end", "": "", "v1.2 is one. Two": "v1.2 is one.",
	} {
		if got := firstSentence(doc); got != want {
			t.Errorf("firstSentence(%q) = %q, want %q", doc, got, want)
		}
	}
}
