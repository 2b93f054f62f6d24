package secret_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/secret"
	"github.com/infrarun/infrarun/runtime/events"
)

// value is what no event may show.
const value = "correct-horse-battery"

// hidden fails the test if an event shows the value, or if none has the mark in its place.
func hidden(t *testing.T, r *familytest.Result) {
	t.Helper()
	marked := false
	for _, e := range r.Events() {
		if strings.Contains(e.Text, value) {
			t.Errorf("an event shows the secret: %q", e.Text)
		}
		marked = marked || strings.Contains(e.Text, "[secret]")
	}
	if !marked {
		t.Error("no event has [secret] in it")
	}
}

func TestEnv(t *testing.T) {
	t.Setenv("TEST_TOKEN", value)
	t.Setenv("TEST_EMPTY", "")
	t.Setenv("TEST_SHORT", "abc")
	f := familytest.New(t, secret.Family()).Grant("secret", "env:TEST_*")
	recipe := `s = secret.env("TEST_TOKEN")` + "\ntest.equal(len(s), 21)\nprint(\"it is \" + s)"
	hidden(t, f.Run(recipe).Want(events.Succeeded))
	hidden(t, f.Preview(recipe).Want(events.NoChange))

	f.Run(`test.equal(secret.env("TEST_EMPTY", default = ""), "")`).Want(events.Succeeded)
	hidden(t, f.Run(`print(secret.env("TEST_NONE", default = "`+value+`"))`).Want(events.Succeeded))
	f.Run(`secret.env("TEST_NONE")`).Want(events.Refused).WantError("environment variable TEST_NONE is unset or empty; set it")
	f.Run(`secret.env("TEST_EMPTY")`).Want(events.Refused).WantError("environment variable TEST_EMPTY is unset or empty")
	f.Run(`secret.env("TEST_SHORT")`).Want(events.Refused).WantError("env:TEST_SHORT: a secret of 3 bytes is too short")
	f.Run(`secret.env("TEST_NONE", default = 1)`).Want(events.Refused).WantError("for parameter default: got int, want string")
	f.Run(`secret.env("HOME")`).Want(events.DeniedRun).WantError("secret: env:HOME is not declared")
}

func TestFile(t *testing.T) {
	f := familytest.New(t, secret.Family())
	f.Grant("secret", "file:"+f.Dir+"/**")
	path := filepath.Join(f.Dir, "token")
	put := func(name, content string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("token", value+"\r\n", 0o600)
	put("open", value, 0o644)
	put("empty", "\n", 0o600)
	put("short", "abc\n", 0o600)
	put("huge", strings.Repeat("x", 2<<20), 0o600)

	recipe := `s = secret.file(DIR + "/token")` + "\ntest.equal(len(s), 21)\nprint(\"it is \" + s)"
	for _, r := range []*familytest.Result{f.Run(recipe).Want(events.Succeeded), f.Preview(recipe).Want(events.NoChange)} {
		hidden(t, r)
		if n := len(r.Events(events.Log)); n != 1 {
			t.Errorf("%d messages, want one: a private file needs no warning", n)
		}
	}
	r := f.Run(`secret.file(DIR + "/open")`).Want(events.Succeeded)
	if logs := r.Events(events.Log); len(logs) != 1 || logs[0].Level != "warn" || !strings.Contains(logs[0].Text, "mode 0644") {
		t.Errorf("a file that all may read: %+v, want a warning", logs)
	}
	f.Run(`secret.file(DIR + "/none")`).Want(events.Refused).WantError("there is no file " + f.Dir + "/none; write the secret into it")
	f.Run(`secret.file(DIR + "/empty")`).Want(events.Refused).WantError("empty; write the secret into it")
	f.Run(`secret.file(DIR + "/short")`).Want(events.Refused).WantError("a secret of 3 bytes is too short")
	f.Run(`secret.file(DIR + "/huge")`).Want(events.Refused).WantError("more than the 1048576 bytes")
	f.Run(`secret.file(DIR)`).Want(events.Refused).WantError("read " + f.Dir)
	f.Run(`secret.file("/etc/shadow")`).Want(events.DeniedRun).WantError("secret: file:/etc/shadow is not declared")

	// A link within what was declared leads on only to what was declared.
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"inner": "token", "outer": outside, "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(f.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	f.Run(`test.equal(secret.file(DIR + "/inner"), secret.file("` + path + `"))`).Want(events.Succeeded)
	f.Run(`secret.file(DIR + "/outer")`).Want(events.DeniedRun).WantError("secret: file:" + outside + " is not declared")
	f.Run(`secret.file(DIR + "/loop")`).Want(events.Refused).WantError("too many links")
}

func TestRandom(t *testing.T) {
	f := familytest.New(t, secret.Family())
	recipe := `
a = secret.random()
b = secret.random(bytes = 8)
test.equal([len(a), len(b), a == secret.random()], [64, 16, False])
print("a is [%s]" % a)
`
	for _, r := range []*familytest.Result{f.Run(recipe).Want(events.Succeeded), f.Preview(recipe).Want(events.NoChange)} {
		if got := r.Events(events.Log)[0].Text; got != "a is [[secret]]" {
			t.Errorf("got %q", got)
		}
	}
	f.Run(`secret.random(bytes = 4)`).Want(events.Refused).WantError("for parameter bytes: got 4, want 8 to 1024")
}

func TestRegister(t *testing.T) {
	f := familytest.New(t, secret.Family())
	recipe := `test.equal(secret.register("correct-horse" + "-battery"), "-".join(["correct", "horse", "battery"]))` +
		"\nprint(\"-\".join([\"correct\", \"horse\", \"battery\"]))"
	hidden(t, f.Run(recipe).Want(events.Succeeded))
	hidden(t, f.Preview(recipe).Want(events.NoChange))
	f.Run(`secret.register("abc")`).Want(events.Refused).WantError("the value: a secret of 3 bytes is too short")
}
