package data

import (
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// nest returns a list in a list …, n deep.
func nest(n int) starlark.Value {
	v := starlark.Value(starlark.MakeInt(1))
	for range n {
		v = starlark.NewList([]starlark.Value{v})
	}
	return v
}

// share returns a list that holds the same list twice, which holds the same list twice …: 2^n leaves.
func share(n int) starlark.Value {
	v := starlark.Value(starlark.String("leaf"))
	for range n {
		v = starlark.NewList([]starlark.Value{v, v})
	}
	return v
}

func TestCheck(t *testing.T) {
	cycle := starlark.NewList(nil)
	if err := cycle.Append(cycle); err != nil {
		t.Fatal(err)
	}
	dict := starlark.NewDict(1)
	if err := dict.SetKey(starlark.String("k"), runtime.NewUnknown("the weather", "look outside")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		v    starlark.Value
		want string // in the error; "": none
	}{
		{"deepest", nest(MaxDepth), ""},
		{"too deep", nest(MaxDepth + 1), "nested deeper than 256"},
		{"very deep", nest(1_000_000), "nested deeper than 256"},
		{"cycle", cycle, "or contains itself"},
		{"shared", share(10), ""},
		{"shared too often", share(60), "larger than 16 MiB"},
		{"long string", starlark.String(strings.Repeat("x", MaxSize+1)), "larger than 16 MiB"},
		{"unknown", dict, "the weather is not known in a preview"},
		{"function", starlark.Universe["len"], "is no plain data"},
		{"range", call(t, "range", starlark.MakeInt(3)), "a range is no plain data"},
	} {
		t.Run(test.name, func(t *testing.T) { want(t, Check(test.v), test.want) })
	}
	latin := starlark.Tuple{starlark.String("\xe4")}
	want(t, Check(latin), "")
	want(t, CheckUnicode(latin), "no UTF-8")
}

func call(t *testing.T, name string, args ...starlark.Value) starlark.Value {
	t.Helper()
	v, err := starlark.Call(new(starlark.Thread), starlark.Universe[name], args, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// want fails the test unless the error has the part, or there is none if the part is empty.
func want(t *testing.T, err error, part string) {
	t.Helper()
	if part == "" && err != nil || part != "" && (err == nil || !strings.Contains(err.Error(), part)) {
		t.Errorf("error %v, want %q", err, part)
	}
}

func TestCheckJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, test := range []struct{ name, text, want string }{
		{"deepest", deep(MaxDepth), ""},
		{"too deep", "\n" + deep(MaxDepth+1), "line 2: nested deeper"},
		{"fatal without a check", strings.Repeat("[", 2_000_000), "nested deeper"},
		{"objects", strings.Repeat(`{"a":`, 300), "nested deeper"},
		{"brackets in strings", `["` + strings.Repeat("[", 1000) + `", "\"` + strings.Repeat("{", 1000) + `"]`, ""},
		{"open string", `"` + strings.Repeat("[", 1000), ""},
		{"open string that ends in a backslash", `"\`, ""},
		{"siblings", "[" + strings.Repeat("[],", 1000) + "1]", ""},
		{"long", strings.Repeat(" ", MaxSize+1), "the limit is 16 MiB"},
		{"long number", "[" + strings.Repeat("9", 100_000) + "]", "1000 digits"},
	} {
		t.Run(test.name, func(t *testing.T) { want(t, CheckJSON(test.text), test.want) })
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, seed := range []string{`{"a": [1, 2.5, "x\n", null, true]}`, "[", `"\`, "-", "1e999", `{"a":1,"a":2}`, `"\ud800"`, "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := DecodeJSON(text)
		if err != nil {
			return
		}
		again, err := EncodeJSON(v, "")
		if err != nil {
			if strings.Contains(err.Error(), "no UTF-8") {
				return
			}
			t.Fatalf("%q: %v", text, err)
		}
		w, err := DecodeJSON(again)
		if err != nil {
			t.Fatalf("%q, encoded again as %q: %v", text, again, err)
		}
		if equal, err := starlark.Equal(v, w); err != nil || !equal {
			t.Fatalf("%q: %s became %s", text, v, w)
		}
	})
}
