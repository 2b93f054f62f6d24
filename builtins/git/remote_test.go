package git

import (
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func remoteFixture(t testing.TB, s *server) *familytest.Fixture {
	t.Helper()
	return fixture(t, nil).Grant("net", s.host())
}

func resolveRecipe(url, ref, want string) string {
	return fmt.Sprintf("test.equal(git.resolve(%q, %q).commit, %q)\n", url, ref, want)
}

func TestRemote(t *testing.T) {
	w, first, second := sample(t)
	w.git("update-ref", "refs/pull/7/head", w.git("commit-tree", first+"^{tree}", "-p", first, "-m", "proposed"))
	s := serve(t, w)
	f := remoteFixture(t, s)
	f.Run(resolveRecipe(s.url(), "HEAD", second) + resolveRecipe(s.url(), "v1.0.0", first) + resolveRecipe(s.url(), first[:7], first)).Want(events.Succeeded)
	f.Run(resolveRecipe(s.url(), "refs/pull/7/head", w.git("rev-parse", "refs/pull/7/head"))).Want(events.Succeeded)
	f.Run(fmt.Sprintf(`git.resolve(%q, "mian")`, s.url())).Want(events.Refused).WantError("did you mean \"main\"?")

	// A commit that the mirror has is not asked for.
	asked := s.asked.Load()
	recipe := fmt.Sprintf(`
url, commit = %q, %q
test.equal(git.describe(url, commit), "v1.0.0-1-g" + commit[:7])
test.equal([c.subject for c in git.log(url, "", commit)], ["fix the gate", "first commit"])
test.equal(git.read(url, commit, "README.md"), "hello again\n")
git.checkout(url, commit, DIR + "/release")
`, s.url(), second)
	f.Run(recipe).Want(events.Succeeded)
	if n := s.asked.Load() - asked; n != 0 {
		t.Errorf("%d requests were made for a commit that is there", n)
	}
	content, err := os.ReadFile(filepath.Join(f.Dir, "release", "README.md"))
	if err != nil || string(content) != "hello again\n" {
		t.Errorf("got %q, %v", content, err)
	}
}

// The mirror follows the remote repository: new commits, rewritten and deleted branches, another default branch.
func TestRemoteChanges(t *testing.T) {
	w, first, second := sample(t)
	s := serve(t, w)
	f := remoteFixture(t, s)
	f.Run(resolveRecipe(s.url(), "", second)).Want(events.Succeeded)
	if n := s.fetches.Load(); n != 1 {
		t.Errorf("%d packs were fetched for the first time", n)
	}
	f.Run(resolveRecipe(s.url(), "main", second)).Want(events.Succeeded)
	if n := s.fetches.Load(); n != 1 {
		t.Errorf("a pack was fetched although nothing is new")
	}
	third := w.write("new", "new\n", 0o644).commit("third")
	f.Run(resolveRecipe(s.url(), "main", third)).Want(events.Succeeded)
	w.git("reset", "-q", "--hard", first)
	fourth := w.write("other", "other\n", 0o644).commit("fourth")
	f.Run(resolveRecipe(s.url(), "main", fourth) + resolveRecipe(s.url(), third, third)).Want(events.Succeeded)
	w.git("checkout", "-q", "develop")
	w.git("branch", "-q", "-D", "main")
	f.Run(resolveRecipe(s.url(), "", first)).Want(events.Succeeded)
	f.Run(fmt.Sprintf(`git.resolve(%q, "main")`, s.url())).Want(events.Refused).WantError("no branch, tag or commit", "develop")
}

// A commit of no branch and no tag can be had from a server that gives it.
func TestRemoteLooseCommit(t *testing.T) {
	w, first, _ := sample(t)
	loose := w.git("commit-tree", first+"^{tree}", "-p", first, "-m", "loose")
	s := serve(t, w)
	f := remoteFixture(t, s)
	f.Run(resolveRecipe(s.url(), loose, loose)).Want(events.Refused).WantError("no branch, tag or commit")
	w.git("config", "uploadpack.allowAnySHA1InWant", "true")
	f.Run(resolveRecipe(s.url(), loose, loose)).Want(events.Succeeded)
}

func TestRemoteInPreview(t *testing.T) {
	w, _, second := sample(t)
	s := serve(t, w)
	f := remoteFixture(t, s)
	served, dir := tree(t, w.dir), tree(t, f.Dir)
	t.Setenv("PATH", t.TempDir()) // no git, nor anything else
	f.Preview(fmt.Sprintf(`git.checkout(%q, git.resolve(%[1]q, "main").commit, DIR + "/release")`, s.url())).Want(events.WouldChange)
	f.Preview(resolveRecipe(s.url(), second, second)).Want(events.NoChange)
	wantTree(t, tree(t, f.Dir), dir)
	wantTree(t, tree(t, w.dir), served)
	entries, err := os.ReadDir(f.State.Dir())
	if err != nil || len(entries) != 1 || entries[0].Name() != "cache" {
		t.Errorf("a preview left %v, %v", entries, err)
	}
}

const token = "ghp_s3cretS3cretS3cret"

func TestToken(t *testing.T) {
	w, _, second := sample(t)
	s := serve(t, w)
	s.set(token, nil)
	f := remoteFixture(t, s)
	recipe := func(token string) string {
		return fmt.Sprintf(`test.equal(git.resolve(%q, "main", token = %q).commit, %q)`, s.url(), token, second)
	}
	results := []*familytest.Result{
		f.Run(recipe("")).Want(events.Refused).WantError("it wants a login; pass token ="),
		f.Run(recipe("wr0ng-wr0ng-wr0ng")).Want(events.Refused).WantError("it refused the login"),
		f.Run(recipe(token)).Want(events.Succeeded),
		f.Run(recipe("ada:" + token)).Want(events.Succeeded),
		f.Preview(recipe(token)).Want(events.NoChange),
	}
	for _, r := range results {
		for _, secret := range []string{token, "wr0ng-wr0ng-wr0ng"} {
			refuseSecret(t, fmt.Sprintf("%+v", r.Events()), secret)
			refuseSecret(t, r.Outcome.Error, secret)
		}
	}
	err := filepath.WalkDir(f.State.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.Contains(path, "/sources/") {
			return err // the recipe itself has it here, which none should
		}
		content, err := os.ReadFile(path)
		refuseSecret(t, path+"\n"+string(content), token)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func refuseSecret(t *testing.T, text, secret string) {
	t.Helper()
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secret))} {
		if strings.Contains(text, form) {
			t.Errorf("the token is in %.2000s", text)
		}
	}
}

// A token does not go over http, and not to another host.
func TestTokenStaysAtHome(t *testing.T) {
	w, _, second := sample(t)
	s, other := serve(t, w), serve(t, w)
	var got []string
	var mu sync.Mutex
	other.set("", func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.Header.Get("Authorization"))
		return false
	})
	s.set("", func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, other.URL+r.URL.String(), http.StatusFound)
		return true
	})
	f := remoteFixture(t, s)
	recipe := fmt.Sprintf(`test.equal(git.resolve(%q, "main", token = %q).commit, %q)`, s.url(), token, second)
	f.Run(recipe).Want(events.DeniedRun).WantError("it redirects", "net: "+other.host())
	f.Grant("net", other.host())
	f.Run(recipe).Want(events.Succeeded)
	for _, a := range got {
		if a != "" {
			t.Errorf("the other host was sent %q", a)
		}
	}
	if len(got) == 0 {
		t.Error("the redirect was not followed")
	}
	plain := httptest.NewServer(s)
	defer plain.Close()
	f.Grant("net", plain.Listener.Addr().String())
	f.Run(fmt.Sprintf(`git.resolve(%q, token = %q)`, plain.URL+"/repo", token)).Want(events.Refused).WantError("unencrypted")
}

func TestRemoteRefuses(t *testing.T) {
	w, _, _ := sample(t)
	empty := filepath.Join(filepath.Dir(w.dir), "empty")
	w.run("", "init", "-q", "--bare", "-b", "main", empty)
	s := serve(t, w)
	closed := httptest.NewServer(nil)
	closed.Close()
	f := remoteFixture(t, s).Grant("net", closed.Listener.Addr().String(), "localhost:*")
	for url, want := range map[string]string{
		s.URL + "/nope":      "there is no such repository, or it is private",
		s.URL + "/empty":     "no commits",
		closed.URL + "/repo": "cannot reach " + closed.Listener.Addr().String(),
		strings.Replace(s.url(), "127.0.0.1", "localhost", 1): "certificate is not trusted",
	} {
		f.Run(fmt.Sprintf(`git.resolve(%q)`, url)).Want(events.Refused).WantError(want, url)
	}
	fixture(t, nil).Run(fmt.Sprintf(`git.resolve(%q)`, s.url())).Want(events.DeniedRun).WantError("net: " + s.host())
	for want, odd := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"what answers is not a git server": func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprintln(w, "<html>Welcome!</html>")
			return true
		},
		"the server answered 502 Bad Gateway": func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		},
		"the connection was closed": func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
	} {
		s.set("", odd)
		f.Run(fmt.Sprintf(`git.resolve(%q)`, s.url())).Want(events.Refused).WantError("fetch "+s.url(), want)
	}
}

// Who waits for a server that says nothing can be stopped.
func TestFetchCancelled(t *testing.T) {
	w, _, _ := sample(t)
	s := serve(t, w)
	f := remoteFixture(t, s)
	ctx, cancel := context.WithCancelCause(t.Context())
	s.set("", func(_ http.ResponseWriter, r *http.Request) bool {
		cancel(runtime.ErrInterrupted)
		<-r.Context().Done()
		return true
	})
	f.RunContext(ctx, fmt.Sprintf(`git.resolve(%q)`, s.url())).Want(events.Interrupted)
}

// A submodule's URL is relative to the remote one. Its host gets the token only if it is the same.
func TestRemoteSubmodules(t *testing.T) {
	w, _, _ := sample(t)
	lib := &work{t, filepath.Join(filepath.Dir(w.dir), "lib"), w.now}
	w.run("", "init", "-q", "-b", "main", lib.dir)
	lib.write("lib", "lib\n", 0o644).commit("the library")
	s, other := serve(t, w), serve(t, w)
	s.set(token, nil)
	other.set("", func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token went to another host")
		}
		return false
	})
	for path, url := range map[string]string{"here": "../lib", "there": other.URL + "/lib"} {
		w.git("submodule", "--quiet", "add", lib.dir, path)
		w.git("config", "-f", ".gitmodules", "submodule."+path+".url", url)
	}
	commit := w.commit("with submodules")
	f := remoteFixture(t, s)
	recipe := fmt.Sprintf(`git.checkout(%q, %q, DIR + "/release", token = %q)`, s.url(), commit, token)
	f.Run(recipe).Want(events.DeniedRun).WantError("net: " + other.host())
	f.Grant("net", other.host()).Run(recipe).Want(events.Succeeded)
	for _, path := range []string{"here", "there"} {
		if content, err := os.ReadFile(filepath.Join(f.Dir, "release", path, "lib")); err != nil || string(content) != "lib\n" {
			t.Errorf("%s: got %q, %v", path, content, err)
		}
	}
	w.git("config", "-f", ".gitmodules", "submodule.here.url", lib.dir)
	f.Grant("fs.read", lib.dir)
	hostile := w.commit("names a path of the machine")
	f.Run(fmt.Sprintf(`git.checkout(%q, %q, DIR + "/other", token = %q)`, s.url(), hostile, token)).Want(events.Refused).
		WantError("is a path on this machine, which " + s.url() + " must not name")
}
