package composefile_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/policy"
)

// laughs are variables each of which has the one before ten times in it.
func laughs(most int) string {
	text := "V0=ten-bytes.\n"
	for i := range most {
		text += fmt.Sprintf("V%d=%s\n", i+1, strings.Repeat(fmt.Sprintf("${V%d}", i), 10))
	}
	return text
}

// alike are a hundred services that are written the same.
func alike(what string) string {
	text := "services:\n"
	for i := range 100 {
		text += fmt.Sprintf("  s%d: %s\n", i, what)
	}
	return text
}

// A few lines that unfold to more than a machine has are refused, and that soon.
func TestLoadIsBounded(t *testing.T) {
	t.Parallel()
	const one = "name: a\nservices:\n  s: {image: x}\n"
	values := "[" + strings.Repeat("v, ", 2000) + "v]"
	base := "{image: x, command: " + values + "}"
	big := strings.Repeat("x", 1<<19)
	src := familytest.Files{
		"/srv/laughs.env": laughs(12), "/srv/big.env": "V=" + big, "/srv/base.yaml": "services: {base: " + base + "}",
		"/srv/many.env": "A=" + strings.Repeat("$B", 1100),
	}
	for what, c := range map[string]struct{ file, want string }{
		"an alias in what it stands for": {"name: a\nservices: &s {s: *s}\n", "/srv/compose.yaml: it has more"},
		"aliases of aliases":             {one + "x-a: &a " + values + "\nx-b: [" + strings.Repeat("*a, ", 100) + "]\n", "/srv/compose.yaml: it has more"},
		"deep nesting":                   {one + "x-a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "\n", "nested too deeply"},
		"a large base":                   {"name: a\n" + alike("{extends: base}") + "  base: " + base + "\n", "/srv/compose.yaml: it has more"},
		"a large base of a base":         {"name: a\n" + alike("{extends: {service: mid}}") + "  mid: {extends: base}\n  base: " + base + "\n", "/srv/compose.yaml: it has more"},
		"a large base in a file":         {"name: a\n" + alike("{extends: {file: base.yaml, service: base}}"), "/srv/base.yaml: it has more"},
		"variables in variables":         {"name: a\nservices: {s: {image: x, env_file: [laughs.env]}}", "service s: environment file: /srv/laughs.env: the project is larger than 16 MiB"},
		"a variable over and over":       {one + "x-a: \"" + strings.Repeat("$BIG", 40) + "\"\n", "the project is larger"},
		"a variable of all services":     {"name: a\n" + alike("{image: x, environment: [BIG]}"), "the project is larger"},
		"a file of all services":         {"name: a\n" + alike("{image: x, env_file: [big.env]}"), "the project is larger"},
		"many variables in a value":      {one + "x-a: \"" + strings.Repeat("${V:-}", 1100) + "\"\n", "1100 variables in one text"},
		"many variables in a file":       {"name: a\nservices: {s: {image: x, env_file: [many.env]}}", "/srv/many.env: there are 1100 variables"},
		"a large file":                   {one + "# " + big + big, "/srv/compose.yaml has 1048"},
	} {
		src["/srv/compose.yaml"] = c.file
		_, err := load(t, src, composefile.Wanted{Env: map[string]string{"BIG": big}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %.300v, want %q", what, err, c.want)
		}
	}
	src["/srv/compose.yaml"] = one
	if _, err := load(t, src, composefile.Wanted{EnvFiles: []string{"laughs.env"}}); err == nil || !strings.Contains(err.Error(), "/srv/laughs.env: the project is larger") {
		t.Errorf("variables in variables of the recipe's file: %v", err)
	}
	src["/srv/laughs.env"] = laughs(3)
	p := mustLoad(t, src, composefile.Wanted{EnvFiles: []string{"laughs.env"}})
	if got := len(p.Environment["V3"]); got != 10_000 {
		t.Errorf("what is not too much has %d bytes, want 10000", got)
	}
}

// secret stands in files on disk that a project must not get at.
const secret = "not-for-the-project"

// leave puts files on disk under the names of those of shop.
func leave(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name := range shop {
		path := filepath.Join(dir, strings.TrimPrefix(name, "/srv/"))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		text := "WHO=" + secret + "\n"
		if strings.HasSuffix(name, ".yaml") {
			text = "services: {web: {image: " + secret + "}, base: {image: " + secret + "}}"
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What is in a file only the source tells, which knows what the recipe may read: what is on disk under its name is not
// looked at, whether the source has such a file or not.
func TestOnlyTheSourceIsRead(t *testing.T) {
	t.Parallel()
	dir := leave(t)
	for name := range shop {
		src := familytest.Files{}
		for other, text := range shop {
			if other != name || name == "/srv/compose.yaml" {
				src[filepath.Join(dir, strings.TrimPrefix(other, "/srv/"))] = text
			}
		}
		p, err := composefile.Load(t.Context(), src, composefile.Wanted{Dir: dir, Env: map[string]string{"WHO": "me"}})
		wantNothingElse(t, p, err)
	}
}

// wantNothingElse fails the test if what is on disk is in a project, or in the error of one.
func wantNothingElse(t *testing.T, p *composefile.Project, err error) {
	t.Helper()
	text := fmt.Sprint(err)
	if err == nil {
		resolved, err := p.MarshalYAML()
		text = fmt.Sprint(string(resolved), err)
	}
	if strings.Contains(text, secret) {
		t.Errorf("what is on disk was read:\n%s", text)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(shop["/srv/compose.yaml"], shop["/srv/web.env"])
	f.Add("name: a\nservices: {s: {<<: *s, image: x}}", "")
	f.Add("a: &a [*a]", "A=$A\n")
	dir := leave(f)
	f.Fuzz(func(t *testing.T, text, env string) {
		src := familytest.Files{filepath.Join(dir, "compose.yaml"): text, filepath.Join(dir, "given.env"): env}
		p, err := composefile.Load(t.Context(), src, composefile.Wanted{
			Dir: dir, Env: map[string]string{"WHO": "me"}, EnvFiles: []string{"given.env"},
		})
		wantNothingElse(t, p, err)
		if err != nil {
			return
		}
		demands, err := composefile.Demands(p)
		if err != nil {
			return
		}
		asked := 0
		if err := composefile.Permit(p, func(...policy.Need) error { asked++; return nil }); err != nil || asked != len(demands) {
			t.Errorf("%d of %d demands were asked for: %v", asked, len(demands), err)
		}
	})
}
