package reference

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type copyArgs struct {
	Src     string           `arg:"src" doc:"what to copy, a | b"`
	Mode    runtime.FileMode `arg:"mode" default:"" doc:"permission bits"`
	Exclude runtime.Strings  `arg:"exclude" default:"" doc:"patterns such as *.tmp"`
}

type manyArgs struct {
	First  string `arg:"first" doc:"the first"`
	Second string `arg:"second" default:"a, b" doc:"the second"`
	Third  int    `arg:"third" default:"3" doc:"the third"`
	Fourth bool   `arg:"fourth_which_is_long" default:"true" doc:"the fourth"`
}

type restArgs struct {
	Rest starlark.Tuple `arg:"*rest" doc:"what is left"`
}

type bareArgs struct {
	Path string `arg:"path"`
}

func define[A any](b runtime.Builtin) *runtime.Builtin {
	return runtime.Define(b, func(*runtime.Call, A) (starlark.Value, error) { return nil, nil })
}

// families are small ones with everything that a declaration can have.
func families() []*runtime.Family {
	return []*runtime.Family{
		{
			Name: "", Doc: "Builtins without a family.",
			Builtins:  []*runtime.Builtin{define[struct{}](runtime.Builtin{Name: "stop_now", Doc: "Stops."})},
			Constants: starlark.StringDict{"struct": starlark.NewBuiltin("struct", nil)},
		},
		{
			Name: "fs", Doc: "Files and directories. Writes are atomic; *all* of them.",
			Permissions: map[string]policy.Matcher{"fs.write": policy.Paths{}, "fs.read": policy.Paths{}},
			Builtins: []*runtime.Builtin{
				define[copyArgs](runtime.Builtin{
					Name: "fs.copy", Undo: runtime.Exact, Permission: "fs.write on dst", Returns: "struct(path, changed)",
					Doc: "Copies a file. Only what differs is written, and a sentence follows that is so long that it must be broken " +
						"into two lines on any terminal.",
					Example: "fs.copy(\"a\",\n        \"b\")",
				}),
				define[restArgs](runtime.Builtin{Name: "fs.join", Doc: "Joins."}),
				define[manyArgs](runtime.Builtin{Name: "fs.many", Doc: "Takes much."}),
			},
		},
		{
			Name: "math", Doc: "Numbers.", Constants: starlark.StringDict{"pi": starlark.Float(3.5)},
		},
		{
			Name: "", Doc: "Asking over HTTP.",
			Builtins: []*runtime.Builtin{define[struct{}](runtime.Builtin{Name: "http_check", Doc: "Asks."})},
		},
	}
}

// golden compares a text with a file. With UPDATE_GOLDEN=1 it writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; UPDATE_GOLDEN=1 go test writes it anew. Got:\n%s", file, got)
	}
}

func TestMarkdown(t *testing.T) { golden(t, "reference.md", Markdown(families())) }

func TestText(t *testing.T) {
	for file, name := range map[string]string{
		"overview.txt": "", "family.txt": "fs", "builtin.txt": "fs.copy", "global.txt": "Global", "rest.txt": "fs.join",
		"constant.txt": "math.pi", "long.txt": "fs.many", "plain.txt": "http_check",
	} {
		var b strings.Builder
		if err := Text(&b, families(), name, false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		golden(t, file, b.String())
		if strings.Contains(b.String(), "\x1b") {
			t.Errorf("%q: there are control codes in it", name)
		}
		for line := range strings.Lines(b.String()) {
			if len(line) > lineWidth+1 {
				t.Errorf("%q: line of %d characters: %s", name, len(line)-1, line)
			}
		}
	}
}

func TestColor(t *testing.T) {
	t.Setenv("NO_COLOR", "1") // whether to use colour is decided by who calls
	var b strings.Builder
	if err := Text(&b, families(), "fs.copy", true); err != nil || !strings.HasPrefix(b.String(), "\x1b[1mfs.copy(") {
		t.Errorf("%v, %q", err, b.String())
	}
}

func TestUnknownName(t *testing.T) {
	for name, want := range map[string]string{
		"fs.coyp":   `there is no builtin or family "fs.coyp"; did you mean fs.copy?`,
		"htp_check": "did you mean http_check?",
		"mth":       "did you mean math?",
		"math.pie":  "did you mean math.pi?",
		"zzzzzz":    `there is no builtin or family "zzzzzz"; infrarun doc lists them`,
	} {
		var b strings.Builder
		err := Text(&b, families(), name, false)
		if err == nil || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%s: error %v, output %q; want %q", name, err, b.String(), want)
		}
	}
}

// full is a writer without room.
type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestTextReportsAFailedWrite(t *testing.T) {
	for _, name := range []string{"", "fs", "fs.copy", "math.pi"} {
		if err := Text(full{}, families(), name, false); !errors.Is(err, errFull) {
			t.Errorf("%q: err = %v", name, err)
		}
	}
}

func TestUndocumented(t *testing.T) {
	if got := Undocumented(families()); len(got) > 0 {
		t.Errorf("got %q, want none", got)
	}
	bare := &runtime.Family{Name: "x", Builtins: []*runtime.Builtin{
		define[bareArgs](runtime.Builtin{Name: "x.y", Doc: "Without a full stop"}),
	}}
	got := strings.Join(Undocumented([]*runtime.Family{bare}), "; ")
	if want := "x: the family; x.y: the builtin; x.y: parameter path"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text, want string
	}{
		{"", ""}, {"one", "one"}, {"one two three", "one two|three"}, {"averylongword x", "averylongword|x"},
		{"  a \n b  ", "a b"}, {"ääää ääää", "ääää|ääää"},
	} {
		if got := strings.Join(wrap(test.text, 8), "|"); got != test.want {
			t.Errorf("wrap(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}
