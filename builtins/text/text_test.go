package text_test

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/text"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestBuiltins(t *testing.T) {
	f := familytest.New(t, text.Family())
	for name, recipe := range map[string]string{
		"template":        `test.equal(text.template("{{.a}}", {"a": 1}), "1")`,
		"template, named": `test.equal(text.template(template = "{{.a}}", data = struct(a = 1)), "1")`,
		"indent":          `test.equal(text.indent("a\n\nb", "> "), "> a\n\n> b")`,
		"indent nothing":  `test.equal(text.indent("", "> "), "")`,
		"match":           `test.equal([text.regex_match("b+", "abbc"), text.regex_match("^b", "ab")], [True, False])`,
		"find":            `test.equal(text.regex_find("go([0-9]+)\\.([0-9]+)(x)?", "go1.26.1"), ["go1.26", "1", "26", ""])`,
		"find nothing":    `test.equal(text.regex_find("z", "abc"), [])`,
		"replace":         `test.equal(text.regex_replace("(?m)^port = (.*)$", "a\nport = 1\n", "port = 8$1"), "a\nport = 81\n")`,
		"dotenv":          `test.equal(text.parse_dotenv(text.dotenv({"B": "it's", "A": 1})), {"B": "it's", "A": "1"})`,
		"base64":          `test.equal([text.base64_encode("hi\n"), text.base64_decode("aGkK")], ["aGkK", "hi\n"])`,
		"sha256":          `test.equal(text.sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")`,
	} {
		t.Run(name, func(t *testing.T) {
			f.Run(recipe).Want(events.Succeeded)
			f.Preview(recipe).Want(events.NoChange)
		})
	}
}

func TestErrors(t *testing.T) {
	f := familytest.New(t, text.Family())
	for recipe, want := range map[string]string{
		`text.template("{{.b}}", {"a": 1})`:                   "text.template: template:1:2: at <.b>: map has no entry for key \"b\"",
		`text.regex_match("(", "")`:                           "text.regex_match: pattern: error parsing regexp: missing closing )",
		`text.regex_match("a" * 20000, "")`:                   "the limit is 16384",
		`text.indent("x\n" * (1 << 20), "y" * 100)`:           "text.indent: the result would have more than 32 MiB",
		`text.regex_replace("x", "x" * (1 << 20), "y" * 100)`: "text.regex_replace: the result would have more than 32 MiB",
		`text.base64_decode("*")`:                             "text.base64_decode: the text is no base64",
		`text.dotenv({"A": "x\ny"})`:                          "text.dotenv: the value of A has a line break",
		`text.parse_dotenv("A=1\nA=2")`:                       "text.parse_dotenv: line 2: A comes twice",
		`text.template(template = 1, data = 1)`:               "text.template: for parameter \"template\": got int, want string",
	} {
		f.Run(recipe).Want(events.Refused).WantError(want)
	}
}

// Computing is allowed while a module loads.
func TestPure(t *testing.T) {
	f := familytest.New(t, text.Family())
	f.Run("GREETING = text.template(\"hi {{.}}\", \"you\")\ndef main(ctx):\n    test.equal(GREETING, \"hi you\")\n").Want(events.Succeeded)
}
