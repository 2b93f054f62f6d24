// Package secret is the family of builtins by which a recipe comes to a secret: a value that must appear in no output,
// log, journal, diff or error. From the call on every occurrence of the value, also encoded, is replaced wherever
// infrarun writes anything.
//
//	secret.env(name, default = None)   from an environment variable
//	secret.file(path)                  from a file
//	secret.random(bytes = 32)          a new one
//	secret.register(value)             a value that the recipe has already
//
// A preview reads the real values too: what it shows must not contain them.
package secret

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "secret",
		Doc: "Values that appear in no output, log, journal, diff or error, encoded or not. They are strings of at least " +
			"6 bytes; shorter ones would hide ordinary text as well. Files that hold one are for their owner alone: mode 0600. " +
			"The permission secret names sources: \"env:GITHUB_TOKEN\", \"file:/etc/app/token\".",
		Builtins:    []*runtime.Builtin{envBuiltin, fileBuiltin, randomBuiltin, registerBuiltin},
		Permissions: map[string]policy.Matcher{"secret": policy.Names{}},
	}
}

// register makes a value a secret of the run.
func register(c *runtime.Call, source, value string) (starlark.Value, error) {
	if err := c.AddSecret(value); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return starlark.String(value), nil
}

type envArgs struct {
	Name    string         `arg:"name" doc:"the variable"`
	Default starlark.Value `arg:"default" default:"" doc:"the value if the variable is unset or empty; None: that is an error"`
}

var envBuiltin = runtime.Define(runtime.Builtin{
	Name: "secret.env", Returns: "string", Permission: "secret on env:NAME",
	Doc: "Returns the value of an environment variable and keeps it out of everything that is written. An empty default " +
		"is no secret; any other is.",
	Example: `token = secret.env("GITHUB_TOKEN", default = "")`,
}, func(c *runtime.Call, a envArgs) (starlark.Value, error) {
	source := "env:" + a.Name
	if err := c.Need(policy.Need{Kind: "secret", Target: source}); err != nil {
		return nil, err
	}
	if value := os.Getenv(a.Name); value != "" {
		return register(c, source, value)
	}
	switch d := a.Default.(type) {
	case nil:
		return nil, fmt.Errorf("environment variable %s is unset or empty; set it before running infrarun", a.Name)
	case starlark.String:
		if d == "" {
			return d, nil
		}
		return register(c, "the default", string(d))
	}
	return nil, fmt.Errorf("for parameter default: got %s, want string", a.Default.Type())
})

type randomArgs struct {
	Bytes int `arg:"bytes" default:"32" doc:"how many random bytes, 8 to 1024; the text is twice as long"`
}

var randomBuiltin = runtime.Define(runtime.Builtin{
	Name: "secret.random", Returns: "string of hexadecimal digits",
	Doc: "Returns a new random secret. Each call gives another one, in a preview too: store it, and read it from there " +
		"next time, or every deployment changes it.",
	Example: `key = secret.file(path) if fs.exists(path) else secret.random()`,
}, func(c *runtime.Call, a randomArgs) (starlark.Value, error) {
	if a.Bytes < 8 || a.Bytes > 1024 {
		return nil, fmt.Errorf("for parameter bytes: got %d, want 8 to 1024", a.Bytes)
	}
	value := make([]byte, a.Bytes)
	if _, err := rand.Read(value); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return register(c, "the random value", hex.EncodeToString(value))
})

type registerArgs struct {
	Value string `arg:"value" doc:"the value, of at least 6 bytes"`
}

var registerBuiltin = runtime.Define(runtime.Builtin{
	Name: "secret.register", Returns: "string, the value itself",
	Doc: "Keeps a value out of everything that is written from now on. It is for what a recipe found in a file of several " +
		"settings; what was written before stays.",
	Example: `key = secret.register(text.parse_dotenv(fs.read(path))["JWT_SECRET"])`,
}, func(c *runtime.Call, a registerArgs) (starlark.Value, error) {
	return register(c, "the value", a.Value)
})
