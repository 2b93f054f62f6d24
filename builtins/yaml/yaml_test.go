package yaml

import (
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// eval evaluates a Starlark expression.
func eval(t *testing.T, expr string) starlark.Value {
	t.Helper()
	v, err := starlark.EvalOptions(&syntax.FileOptions{}, new(starlark.Thread), "test", expr, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDecode(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", `None`},
		{"only a comment", "# nothing\n", `None`},
		{"scalars", "[1, -2, 0x1f, 1.5, true, False, null, ~, yes, a b]", `[1, -2, 31, 1.5, True, False, None, None, "yes", "a b"]`},
		{"order of keys", "z: 1\na: 2\nm: 3\n", `{"z": 1, "a": 2, "m": 3}`},
		{"old octal", "mode: 0644", `{"mode": 420}`},
		{"quoted number", `port: "8082"`, `{"port": "8082"}`},
		{"dates stay strings", "[2024-01-02, 2024-01-02T03:04:05Z, !!timestamp 2024-01-02]", `["2024-01-02", "2024-01-02T03:04:05Z", "2024-01-02"]`},
		{"infinities", "[.inf, -.inf]", `[float("inf"), float("-inf")]`},
		{"long integers keep their digits", "n: 123456789012345678901234567890", `{"n": 123456789012345678901234567890}`},
		{"a float that looks whole by its tag", "!!float 3", `3.0`},
		{"explicit string", "!!str 12", `"12"`},
		{"keys of several types", "1: a\ntrue: b\nnull: c\n", `{1: "a", True: "b", None: "c"}`},
		{"block", "a: |\n  one\n  two\n", `{"a": "one\ntwo\n"}`},
		{"alias", "a: &x [1]\nb: *x\n", `{"a": [1], "b": [1]}`},
		{"alias as key", "a: &k name\n*k : 1\n", `{"a": "name", "name": 1}`},
		{"merge", "base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n", `{"base": {"x": 1, "y": 2}, "c": {"y": 3, "x": 1}}`},
		{"merge of several", "c:\n  <<: [{x: 1}, {x: 2, y: 2}]\n", `{"c": {"x": 1, "y": 2}}`},
		{"quoted << is a key", `"<<": 1`, `{"<<": 1}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := decode(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if want := eval(t, test.want); got.String() != want.String() {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	laughs := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'j'; c++ {
		prev := string(c - 1)
		laughs += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+prev+",", 10), ",") + "]\n"
	}
	long := "a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.TrimSuffix(strings.Repeat("*a,", 100), ",") + "]\n"
	for _, test := range []struct{ name, text, want string }{
		{"a key that comes twice", "a: 1\nb: 2\na: 3\n", `line 3: key "a" comes twice`},
		{"two documents", "a: 1\n---\nb: 2\n", "a second document"},
		{"unknown tag", "a: !secret x\n", "line 1: tag !secret is not supported"},
		{"binary", "!!binary aGVsbG8=", "tag !!binary"},
		{"tagged mapping", "!!set {a: 1}", "tag !!set"},
		{"tagged list", "!python/tuple [1]", "tag !python/tuple"},
		{"a list as key", "[1]: 2\n", "line 1: a key is a list or mapping"},
		{"merge of a scalar", "<<: 1\n", "<< merges mappings"},
		{"syntax", "a: [1\n", "line 1"},
		{"tab", "a:\n\t- 1\n", "cannot start any token"},
		{"undefined alias", "a: *nobody\n", "nobody"},
		{"anchor that contains itself", "&a [*a]", "nested deeper"},
		{"merge that contains itself", "&a {<<: *a}", "nested deeper"},
		{"nesting in flow", strings.Repeat("[", 300) + strings.Repeat("]", 300), "nested deeper"},
		{"nesting in blocks", strings.Repeat("- ", 300) + "x", "nested deeper"},
		{"nesting beyond the library's bound", strings.Repeat("[", 2_000_000), "max depth"},
		{"aliases of aliases", laughs, "with its aliases"},
		{"aliases of a long string", long, "with its aliases"},
		{"length", strings.Repeat("a", 5<<20), "4 MiB"},
		{"digits", "n: " + strings.Repeat("9", 2000), "1000 digits"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v, err := decode(test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, error %v; want an error with %q", v, err, test.want)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"order of keys", `{"z": 1, "a": [1, 2]}`, "z: 1\na:\n  - 1\n  - 2\n"},
		{"scalars", `[None, True, 1.0, -3, "x y"]`, "- null\n- true\n- 1.0\n- -3\n- x y\n"},
		{"what reads as something else", `["true", "1", "1.5", "null", "", "2024-01-02", "~"]`,
			"- \"true\"\n- \"1\"\n- \"1.5\"\n- \"null\"\n- \"\"\n- \"2024-01-02\"\n- \"~\"\n"},
		{"what older readers take for something else", `["yes", "Off", "y", "22:30"]`, "- \"yes\"\n- \"Off\"\n- \"y\"\n- \"22:30\"\n"},
		{"lines", `{"a": "one\n  two\n"}`, "a: |\n  one\n    two\n"},
		{"lines without the last end", `{"a": "one\ntwo"}`, "a: |-\n  one\n  two\n"},
		{"unusual characters", `["a\tb", " x\ny"]`, "- \"a\\tb\"\n- \" x\\ny\"\n"},
		{"empty", `[{}, []]`, "- {}\n- []\n"},
		{"long integers", `123456789012345678901234567890`, "123456789012345678901234567890\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := encode(eval(t, test.value))
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{`len`, "builtin_function_or_method is no plain data"},
		{`b"x"`, "bytes is no plain data"},
		{`"é"[:1]`, "no UTF-8"},
		{`{(1, 2): 3}`, "key (1, 2) is a tuple"},
	} {
		if got, err := encode(eval(t, test.value)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("encode(%s) = %q, %v; want an error with %q", test.value, got, err, test.want)
		}
	}
}

// FuzzDecode: no text makes the decoder fail in another way than with an error, and what it reads can be written and
// read again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "a: 1", "- [x, {y: ~}]", "a: &a [1]\nb: *a", "<<: {a: 1}\n", "|\n  x\n y", "\"\\u0085\"", "? [a]\n: b", "--- >+\n x\n\n",
		"!!float 1", "1_000", "0o17", "&a {<<: *a}", "'it''s'", "%YAML 1.1\n---\nx",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := decode(text)
		if err != nil {
			return
		}
		roundTrip(t, v)
	})
}

// FuzzEncode: every string, as a value and as a key, is read back as it was.
func FuzzEncode(f *testing.F) {
	for _, seed := range []string{"", "a", "a\nb\n", "\n", " a\n b", "true", "0x1f", "\u2028", "- x", "#", "a: b", "a #b", "\ufeff", "'", "---\n", "\t\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := starlark.NewDict(1)
		if err := d.SetKey(starlark.String(s), starlark.NewList([]starlark.Value{starlark.String(s)})); err != nil {
			t.Fatal(err)
		}
		if strings.ToValidUTF8(s, "") == s {
			roundTrip(t, d)
		}
	})
}

func roundTrip(t *testing.T, v starlark.Value) {
	t.Helper()
	text, err := encode(v)
	if err != nil {
		if strings.Contains(err.Error(), "no UTF-8") {
			return
		}
		t.Fatalf("encode(%s): %v", v, err)
	}
	again, err := decode(text)
	if err != nil {
		t.Fatalf("decode of what was encoded from %s: %v\n%s", v, err, text)
	}
	if again.String() != v.String() {
		t.Fatalf("%s became %s\n%s", v, again, text)
	}
}
