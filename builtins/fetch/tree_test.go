package fetch

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// node is how a recipe would install Node.js from a registry.
func node(version string) string {
	return fmt.Sprintf("fetch.tree(URL + %q, DIR + \"/node\", SUM[%q], strip = 1, provides = [\"bin/node\"])", "/"+version, "/"+version)
}

func TestTree(t *testing.T) {
	f, s := fixture(t), newSite(t, map[string][]byte{"/1": npm(t, "1"), "/2": npm(t, "2")})
	f.Run(s.recipe(`
r = ` + node("1") + `
test.equal([r.path, r.changed, r.files, r.bytes], [DIR + "/node", True, 3, 12])
test.equal(fs.list(r.path), [".fetched", "bin", "lib", "package.json"])
test.equal(fs.read(r.path + "/bin/nodejs"), "#!node 1")
test.equal(fs.read(r.path + "/bin/npm"), "cli")
test.equal([fs.stat(r.path + p).mode for p in ["", "/bin", "/lib", "/bin/node", "/package.json"]], ["0755", "0755", "0755", "0755", "0644"])
`)).Want(events.Succeeded)
	s.requests()
	f.Run(s.recipe("r = " + node("1") + "\ntest.equal([r.changed, r.files, r.bytes], [False, 3, 12])")).Want(events.Succeeded)
	if n := s.requests(); n != 0 {
		t.Errorf("%d requests for a tree that is there", n)
	}
	before := familytest.Tree(t, f.Dir)
	f.Run(s.recipe("test.equal(" + node("2") + ".changed, True)\n" + `test.equal(fs.read(DIR + "/node/package.json"), "2")`)).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
	// What was taken out of it is brought back.
	must(t, os.Remove(filepath.Join(f.Dir, "node/bin/node")))
	f.Run(s.recipe("test.equal(" + node("1") + ".changed, True)\n" + `test.equal(fs.read(DIR + "/node/bin/node"), "#!node 1")`)).Want(events.Succeeded)
}

func TestTreeFormats(t *testing.T) {
	items := []item{dir("./"), file("./a/b", "content"), program("./run", "#!")}
	raw := makeTar(t, items...)
	f := fixture(t)
	s := newSite(t, map[string][]byte{
		"/tar": raw, "/gzip": gzipped(t, raw), "/zstd": zstded(t, raw), "/zip": makeZip(t, items...),
	})
	for path := range s.files {
		f.Run(s.recipe(fmt.Sprintf(`
r = fetch.tree(URL + %[1]q, DIR + %[1]q, SUM[%[1]q], provides = ["run"])
test.equal([r.files, r.bytes, fs.read(r.path + "/a/b"), fs.stat(r.path + "/a/b").mode], [2, 9, "content", "0644"])
`, path))).Want(events.Succeeded)
	}
}

// A Go toolchain comes as the zip of a module: its names are two elements too long, nothing in it is executable, and its sum
// says nothing of what else the zip may claim.
func TestTreeOfModule(t *testing.T) {
	const prefix = "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64/"
	claims := link(prefix+"lib/claims-to-be-a-link", "/etc/passwd")
	content := makeZip(t, file(prefix+"bin/go", "go"), file(prefix+"pkg/tool/linux_amd64/compile", "compile"), program(prefix+"VERSION", "1.26.8"), claims)
	path := filepath.Join(t.TempDir(), "go.zip")
	must(t, os.WriteFile(path, content, 0o600))
	sum, err := dirhash.HashZip(path, dirhash.Hash1)
	must(t, err)
	f, s := fixture(t), newSite(t, map[string][]byte{"/go.zip": content})
	f.Run(s.recipe(fmt.Sprintf(`
r = fetch.tree(URL + "/go.zip", DIR + "/go", %q, strip = 2, executable = ["bin/*", "pkg/tool/*/*"], provides = ["bin/go"])
modes = [fs.stat(r.path + p).mode for p in ["/bin/go", "/pkg/tool/linux_amd64/compile", "/VERSION"]]
test.equal(modes, ["0755", "0755", "0644"])
test.equal(fs.is_link(r.path + "/lib/claims-to-be-a-link"), False)
`, sum))).Want(events.Succeeded)
	f.Run(s.recipe(fmt.Sprintf(`fetch.tree(URL + "/go.zip", DIR + "/go2", %q, strip = 2, provides = ["bin/go"])`, sum))).
		Want(events.Refused).WantError("name it in executable as well")
}

func TestTreePreview(t *testing.T) {
	f, s := fixture(t), newSite(t, map[string][]byte{"/1": npm(t, "1"), "/2": npm(t, "2")})
	r := f.Preview(s.recipe(`
r = ` + node("1") + `
test.equal([r.path, r.changed], [DIR + "/node", True])
test.equal([fs.is_dir(r.path), fs.exists(r.path + "/bin/node")], [True, True])
test.equal(` + node("1") + `.changed, False)
test.equal(` + node("2") + `.changed, True)
`)).Want(events.WouldChange)
	want := fmt.Sprintf("would fetch.tree: download %s/1 (sum %s) and unpack it", s.URL, sha(s.files["/1"]))
	if got := r.Summaries(); len(got) != 3 || got[0] != want || !strings.Contains(got[2], "in the place of the tree there, of the sum "+sha(s.files["/1"])) {
		t.Errorf("the preview says %q, want %q", got, want)
	}
	f.Preview(s.recipe(node("1") + ".files")).Want(events.Refused).WantError("is not known in a preview")
	f.Preview(s.recipe(node("1") + "\n" + `fs.read(DIR + "/node/package.json")`)).Want(events.Refused).WantError("is not known in a preview")
	if n := s.requests(); n != 0 {
		t.Errorf("a preview made %d requests", n)
	}
	if got := familytest.Tree(t, f.Dir); strings.Count(got, "\n") != 1 {
		t.Errorf("a preview made something:\n%s", got)
	}
}

func TestTreeErrors(t *testing.T) {
	f := fixture(t)
	s := newSite(t, map[string][]byte{
		"/1": npm(t, "1"), "/text": []byte("no archive"), "/xz": []byte("\xfd7zXZ\x00"), "/cut": npm(t, "1")[:100],
		"/bomb": gzipped(t, makeTar(t, file("big", strings.Repeat("0", 1<<20)))), "/empty": nil, "/none": makeTar(t, dir("a")),
	})
	must(t, os.Mkdir(filepath.Join(f.Dir, "mine"), 0o755))
	must(t, os.WriteFile(filepath.Join(f.Dir, "mine/file"), nil, 0o644))
	must(t, os.Mkdir(filepath.Join(f.Dir, "odd"), 0o755))
	must(t, os.WriteFile(filepath.Join(f.Dir, "odd/.fetched"), []byte("{"), 0o644))
	before := familytest.Tree(t, f.Dir)
	for call, want := range map[string]string{
		`fetch.tree(URL + "/1", DIR + "/mine", SUM["/1"])`:                           "fetch.tree did not make the directory " + f.Dir + "/mine",
		`fetch.tree(URL + "/1", DIR + "/odd", SUM["/1"])`:                            ".fetched is damaged",
		`fetch.tree(URL + "/1", DIR + "/mine/file", SUM["/1"])`:                      "there is a file at",
		`fetch.tree(URL + "/1", DIR + "/x", SUM["/text"])`:                           "the sum is not the wanted one",
		`fetch.tree(URL + "/text", DIR + "/x", SUM["/text"])`:                        "it is no archive that is known, which is not unpacked",
		`fetch.tree(URL + "/empty", DIR + "/x", SUM["/empty"])`:                      "it is empty",
		`fetch.tree(URL + "/xz", DIR + "/x", SUM["/xz"])`:                            "it is compressed with xz",
		`fetch.tree(URL + "/cut", DIR + "/x", SUM["/cut"])`:                          "it is damaged",
		`fetch.tree(URL + "/none", DIR + "/x", SUM["/none"])`:                        "there is no file in it",
		`fetch.tree(URL + "/1", DIR + "/x", SUM["/1"], strip = 4)`:                   "no file in it that has more than strip = 4 elements",
		`fetch.tree(URL + "/1", DIR + "/x", SUM["/1"], provides = ["bin/node"])`:     "provides names bin/node, which is not in it (at its top there is package); is strip = 0 right?",
		`fetch.tree(URL + "/1", DIR + "/x", SUM["/1"], provides = ["package"])`:      "provides names package, which is no file",
		`fetch.tree(URL + "/1", DIR + "/x", SUM["/1"], provides = ["../bin/node"])`:  "no path below dst",
		`fetch.tree(URL + "/1", DIR + "/x", SUM["/1"], executable = ["["])`:          "is no pattern",
		`fetch.tree(URL + "/1", DIR + "/x", SUM["/1"], strip = -1)`:                  "is negative",
		`fetch.tree(URL + "/1", DIR + "/none/x", SUM["/1"])`:                         "none does not exist",
		`fetch.tree(URL + "/1", "/usr", SUM["/1"])`:                                  "fs.write: /usr is not declared",
		`fetch.tree(URL + "/gone", DIR + "/x", SUM["/1"])`:                           "status 404",
		`fetch.tree(URL + "/1", DIR + "/x", SUM["/1"], provides = ["package/none"])`: "provides names package/none",
	} {
		r := f.Run(s.recipe(call))
		if r.Outcome.Result != events.Refused && r.Outcome.Result != events.DeniedRun || !strings.Contains(r.Outcome.Error, want) {
			t.Errorf("%s: ended %s, and the error lacks %q:\n%s", call, r.Outcome.Result, want, r.Outcome.Error)
		}
		familytest.SameTree(t, call, familytest.Tree(t, f.Dir), before)
	}
}
