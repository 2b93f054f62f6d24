package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/testdata/enginetest"
	"github.com/infrarun/infrarun/testdata/server"
)

// nodeImage is what the front end is built with in a container. It has in its cache what npm would bring.
const nodeImage = "test-node:1"

// frontEnd builds the gate with the front end in it: when that changes, and when the gate does.
func (c *containers) frontEnd(t *testing.T) {
	makeNodeBase(t, c.e)
	defer func() {
		for range 2 {
			c.infrarun("rollback").want(0)
			c.repo.reset()
		}
	}()
	c.flags = append(slices.DeleteFunc(slices.Clone(c.flags), func(f string) bool { return f == "--no-ui" }), "--base=NODE_IMAGE="+nodeImage)
	for _, change := range []func(){
		func() { c.edit("ui/index.html", "<title>", "<title>Changed: ") },
		func() { c.repo.write("cmd/gate/note.go", "package main\n"); c.repo.commit("change the gate") },
	} {
		ids := c.ids()
		change()
		preview := c.deploy("update.star", "--dry-run").want(2)
		wantSame(t, preview, c.deploy("update.star").want(0))
		if changed := c.changedIDs(ids); !slices.Equal(changed, []string{"gate"}) {
			t.Errorf("it made %v anew", changed)
		}
		code, page, err := c.get("http", "/")
		if err != nil || code != http.StatusOK || !strings.Contains(page, "<title>Changed: ") {
			t.Fatalf("the gate answers %d %v with\n%s", code, err, page)
		}
		script := regexp.MustCompile(`src="(/assets/[^"]+\.js)"`).FindStringSubmatch(page)
		if script == nil {
			t.Fatalf("the page was not built:\n%s", page)
		}
		if code, text, err := c.get("http", script[1]); err != nil || code != http.StatusOK || len(text) < 10_000 {
			t.Errorf("the script of the page answers %d %v with %d bytes", code, err, len(text))
		}
	}
}

// makeNodeBase makes the image that the front end is built with, of packages of the npm registry.
func makeNodeBase(t *testing.T, e *enginetest.Engine) {
	t.Helper()
	ui, err := filepath.Abs("../../../testdata/infracore/ui")
	if err != nil {
		t.Fatal(err)
	}
	dir := nodeTree(t, ui)
	root := t.TempDir()
	for _, at := range []string{"bin", "tmp", "root", "usr/bin"} {
		if err := os.MkdirAll(filepath.Join(root, at), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	addShell(t, root)
	if err := os.Symlink("/bin/env", filepath.Join(root, "usr/bin/env")); err != nil {
		t.Fatal(err)
	}
	node := filepath.Join("node/node_modules/node-linux-"+nodeArch(), "bin")
	programs, _ := filepath.Glob(filepath.Join(dir, "addons/*"))
	for _, program := range append(programs, filepath.Join(dir, node, "node")) {
		addLibraries(t, root, program)
	}
	importTar(t, e, nodeImage, []string{
		"ENV PATH=/" + node + ":/node/node_modules/.bin:/bin", "ENV HOME=/root",
		"ENV npm_config_cache=/npm npm_config_offline=true", "ENV npm_config_registry=" + strings.TrimSpace(run(t, ui, "npm", "config", "get", "registry")),
	}, "-C", dir, "node", "npm", "-C", root, ".")
}

// nodeTree returns a directory with Node.js and npm in a directory node, in a directory npm the cache that npm builds this
// front end from, and in addons what of that is compiled. It is kept from one test run to the next.
func nodeTree(t *testing.T, ui string) string {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(ui, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := server.Cache("infracore-node", string(lock), nodeArch())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node")); err == nil {
		return dir
	}
	npm := func(at string, args ...string) {
		run(t, at, "npm", append(args, "--no-audit", "--no-fund", "--ignore-scripts", "--cache="+filepath.Join(dir, "npm"))...)
	}
	work := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		copyFile(t, filepath.Join(ui, name), filepath.Join(work, name))
	}
	npm(work, "ci")
	addons, _ := filepath.Glob(filepath.Join(work, "node_modules/@*/*/*.node"))
	for _, addon := range addons {
		copyFile(t, addon, filepath.Join(dir, "addons", filepath.Base(addon)))
	}
	whole := filepath.Join(dir, "node.new")
	npm(work, "install", "--no-save", "--prefix="+whole, "node-linux-"+nodeArch()+"@22", "npm@10")
	if err := os.Rename(whole, filepath.Join(dir, "node")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// nodeArch is the architecture as Node.js calls it.
func nodeArch() string {
	if runtime.GOARCH == "amd64" {
		return "x64"
	}
	return runtime.GOARCH
}
