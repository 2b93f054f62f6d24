package text

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// eval evaluates a Starlark expression, in which there is struct.
func eval(t testing.TB, expr string) starlark.Value {
	t.Helper()
	env := starlark.StringDict{"struct": starlark.NewBuiltin("struct", starlarkstruct.Make)}
	v, err := starlark.EvalOptions(&syntax.FileOptions{}, new(starlark.Thread), "test", expr, env)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTemplate(t *testing.T) {
	for _, test := range []struct{ name, template, data, want string }{
		{"fields", "{{.host}}:{{.port}}", `{"host": "h", "port": 80}`, "h:80"},
		{"struct in list", "{{range .}}{{.name}} {{end}}", `[struct(name = "a"), struct(name = "b")]`, "a b "},
		{"range over a dict is sorted", "{{range $k, $v := .}}{{$k}}={{$v}};{{end}}", `{"b": 1, "a": 2}`, "a=2;b=1;"},
		{"loop over nothing", "{{range .}}x{{else}}none{{end}}", `[]`, "none"},
		{"break and continue", "{{range .}}{{if eq . 2}}{{continue}}{{end}}{{if eq . 4}}{{break}}{{end}}{{.}}{{end}}", `[1, 2, 3, 4, 5]`, "13"},
		{"defined template", `{{define "t"}}<{{.}}>{{end}}{{template "t" .a}}{{template "t" .b}}`, `{"a": 1, "b": 2}`, "<1><2>"},
		{"variables", "{{$x := .a}}{{$x = .b}}{{$x}}", `{"a": 1, "b": 2}`, "2"},
		{"bool and float", "{{.a}} {{.b}}", `{"a": True, "b": 1.5}`, "true 1.5"},
		{"long integer", "{{.}}", `123456789012345678901234567890`, "123456789012345678901234567890"},
		{"empty strings are values", "[{{.a}}]", `{"a": ""}`, "[]"},
		{"quote", "{{quote .a}} {{quote .b}}", `{"a": "say \"<hi>\"\n", "b": 1}`, `"say \"<hi>\"\n" "1"`},
		{"json", "{{json .}}", `{"b": [1, None, "<"], "a": struct(x = True)}`, `{"a":{"x":true},"b":[1,null,"<"]}`},
		{"indent", "{{.a | indent 2}}", `{"a": "x\n\ny"}`, "  x\n\n  y"},
		{"join", `{{.a | join ", "}} {{join "-" .a}}`, `{"a": ["x", 1]}`, "x, 1 x-1"},
		{"default", `{{.a | default "d"}}{{.b | default "d"}}{{.c | default "d"}}{{.d | default "d"}}`,
			`{"a": None, "b": "", "c": "x", "d": 0}`, "ddx0"},
		{"case", "{{upper .a}}{{.a | lower}}", `{"a": "aB"}`, "ABab"},
		{"printf", `{{printf "%03d|%-4s|%q" .a .b .b}}`, `{"a": 7, "b": "x"}`, `007|x   |"x"`},
		{"html", "{{html .a}}", `{"a": "<b>"}`, "&lt;b&gt;"},
		{"nothing that looks like a call is one", "{{.a}}", `{"a": "{{.b}}"}`, "{{.b}}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := fill(t.Context(), test.template, eval(t, test.data))
			if err != nil {
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTemplateRefuses(t *testing.T) {
	double := `{{$x := "aaaaaaaaaaaaaaaa"}}{{range 40}}{{$x = print $x $x}}{{end}}`
	for _, test := range []struct{ name, template, data, want string }{
		{"syntax", "a\n{{.b", `{}`, `2: unclosed action`},
		{"unknown function", "{{nope .}}", `{}`, `"nope" not defined`},
		{"missing key", "x\n{{.host}}", `{"hsot": 1}`, `2:2: at <.host>: map has no entry for key "host"`},
		{"missing key by index", `{{index . "host"}}`, `{}`, "the value is None"},
		{"None", "{{.a}}", `{"a": None}`, "the value is None; use default"},
		{"None in a function", "{{upper .a}}", `{"a": None}`, "the value is None"},
		{"None in print", "{{print .a}}", `{"a": None}`, "the value is None"},
		{"None in a list", `{{join "," .}}`, `[None]`, "the value is None"},
		{"list", "{{.}}", `[1]`, "use range, join or json"},
		{"dict", `{{printf "%v" .}}`, `{}`, "use range, join or json"},
		{"function as data", "{{.}}", `{"f": len}`, "the data: a builtin_function_or_method is no plain data"},
		{"int as key", "{{.}}", `{1: 2}`, "the data: key 1 is int, want string"},
		{"endless loop", "{{range 1000000000000}}{{end}}", `{}`, "is there a loop that does not end"},
		{"endless loop over data", "{{range .}}{{range $}}{{range $}}{{end}}{{end}}{{end}}", "[0] * 1000", "is there a loop that does not end"},
		{"endless loop that continues", "{{range 1000000000000}}{{continue}}{{end}}", `{}`, "is there a loop that does not end"},
		{"endless recursion", `{{define "t"}}{{template "t"}}{{end}}{{template "t"}}`, `{}`, "exceeded maximum template depth"},
		{"templates that call two", `{{define "t0"}}{{end}}` + doubling(40) + `{{template "t40"}}`, `{}`, "is there a loop"},
		{"long result", "{{range 1000}}{{$}}{{end}}", `"x" * 100000`, "more than 4 MiB"},
		{"doubling", double, `{}`, "more than 4 MiB"},
		{"wide", `{{printf "%1000000d" 1}}`, `{}`, "width"},
		{"many verbs", `{{printf "` + strings.Repeat("%[1]s", 1000) + `" .}}`, `"x" * 100000`, "more than 4 MiB"},
		{"wide indentation", `{{indent 100000 "x"}}`, `{}`, "indent by 100000"},
		{"much work", `{{range 1000}}{{$x := upper $}}{{end}}`, `"x" * 1000000`, "more than 4 MiB"},
		{"long template", strings.Repeat("x", 2<<20), `{}`, "the limit is 1 MiB"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := fill(t.Context(), test.template, eval(t, test.data))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %.100q, error %v; want an error with %q", got, err, test.want)
			}
		})
	}
}

// doubling defines templates t1 to tn of which each calls the one before it twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{{define "t%d"}}{{template "t%d"}}{{template "t%[2]d"}}{{end}}`, i+1, i)
	}
	return b.String()
}

func TestTemplateStopsWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	cancel(why)
	if _, err := fill(ctx, "{{range 10}}x{{end}}", starlark.None); !errors.Is(err, why) {
		t.Errorf("err = %v, want the reason why the run stops", err)
	}
}

// FuzzTemplate: no template fails in another way than with an error, takes long or makes a long text.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		"{{.a}}", "{{range .l}}{{.}}{{end}}", "{{range 9999999}}{{end}}", `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`,
		"{{with .a}}{{.}}{{else}}x{{end}}", `{{printf "%[1]*d" 99 1}}`, "{{- json . -}}", `{{block "b" .}}{{.a}}{{end}}`, "{{break}}",
		`{{join "x" .l | indent 3 | quote}}`, "{{_step}}{{_written 1}}", "{{slice .a 1}}{{len .l}}{{index .l 0}}",
	} {
		f.Add(seed)
	}
	data := eval(f, `{"a": "text", "l": ["x", 1, None], "d": {"k": True}, "n": 3}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := fill(t.Context(), text, data)
		if err == nil && (len(got) > maxOutput || strings.Contains(got, "<no value>") && !strings.Contains(text, "<no value>")) {
			t.Errorf("%q gave %.200q", text, got)
		}
	})
}
