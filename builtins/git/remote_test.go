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
	"time"

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
	for name, odd := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"no git": func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprintln(w, "<html>Welcome!</html>")
			return true
		},
		"broken": func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		},
		"hangs up": func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
	} {
		s.set("", odd)
		r := f.Run(fmt.Sprintf(`git.resolve(%q)`, s.url()))
		t.Logf("%s: %s", name, r.Outcome.Error)
		r.Want(events.Refused).WantError("fetch " + s.url())
	}
}

// A fetch that is broken off leaves the mirror as it was, and the next one goes on.
func TestFetchInterrupted(t *testing.T) {
	w, _, second := sample(t)
	s := serve(t, w)
	f := remoteFixture(t, s)
	cut := func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		rec := httptest.NewRecorder()
		s.backend.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		rw.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		rw.Write(body[:len(body)/2])
		return true
	}
	s.set("", cut)
	f.Run(resolveRecipe(s.url(), "main", second)).Want(events.Refused).WantError("fetch " + s.url())
	s.set("", nil)
	f.Run(resolveRecipe(s.url(), "main", second)).Want(events.Succeeded)

	third := w.write("big", strings.Repeat("0123456789abcdef", 1<<12), 0o644).commit("third")
	s.set("", cut)
	f.Run(resolveRecipe(s.url(), "main", third)).Want(events.Refused)
	f.Run(resolveRecipe(s.url(), second, second)).Want(events.Succeeded) // without asking
	s.set("", nil)
	f.Run(resolveRecipe(s.url(), "main", third)).Want(events.Succeeded)
	if left, _ := filepath.Glob(filepath.Join(f.State.Cache(), "git", "*", "copy-*", "objects", "pack", "tmp_*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
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
	r := f.RunContext(ctx, fmt.Sprintf(`git.resolve(%q)`, s.url()))
	r.Want(events.Interrupted)
}

// Whatever has become of the mirror, it is fetched anew, and says so.
func TestMirrorDamaged(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"pack cut off": func(t *testing.T, dir string) {
			pack := glob(t, dir, "current/objects/pack/*.pack")
			info, err := os.Stat(pack)
			if err == nil {
				err = os.Chmod(pack, 0o600)
			}
			if err == nil {
				err = os.Truncate(pack, info.Size()/2)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"pack overwritten": func(t *testing.T, dir string) {
			pack := glob(t, dir, "current/objects/pack/*.pack")
			data, err := os.ReadFile(pack)
			if err != nil {
				t.Fatal(err)
			}
			for i := 20; i < len(data)-20; i++ {
				data[i] ^= 0x55
			}
			replaceFile(t, pack, data)
		},
		"index empty": func(t *testing.T, dir string) { replaceFile(t, glob(t, dir, "current/objects/pack/*.idx"), nil) },
		"index gone": func(t *testing.T, dir string) {
			if err := os.Remove(glob(t, dir, "current/objects/pack/*.idx")); err != nil {
				t.Fatal(err)
			}
		},
		"config spoilt": func(t *testing.T, dir string) { replaceFile(t, filepath.Join(dir, "current/config"), []byte("[[")) },
		"references spoilt": func(t *testing.T, dir string) {
			replaceFile(t, filepath.Join(dir, "current/packed-refs"), []byte("x y z\n"))
		},
		"leads nowhere": func(t *testing.T, dir string) {
			if err := os.RemoveAll(glob(t, dir, "copy-*")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, second := sample(t)
			s := serve(t, w)
			f := remoteFixture(t, s)
			f.Run(resolveRecipe(s.url(), "main", second)).Want(events.Succeeded)
			spoil(t, glob(t, f.State.Cache(), "git/*"))
			r := f.Run(resolveRecipe(s.url(), "main", second) + fmt.Sprintf(`git.checkout(%q, %q, DIR + "/release")`, s.url(), second))
			r.Want(events.Succeeded)
			// References are asked for anyway.
			if name != "references spoilt" && !warned(r, "fetched anew") {
				t.Error("the mirror was replaced without a word")
			}
			f.Run(resolveRecipe(s.url(), second, second)).Want(events.Succeeded)
		})
	}
}

// A content that is damaged is found when it is written, and the next run has it right.
func TestDamagedContent(t *testing.T) {
	w := newWork(t)
	commit := w.write("plain", strings.Repeat("a", 100)+"\n", 0o644).commit("plain")
	w.git("config", "core.compression", "0") // so that flipping a byte leaves a valid stream, but for its checksum
	s := serve(t, w)
	f := remoteFixture(t, s)
	f.Run(resolveRecipe(s.url(), "main", commit)).Want(events.Succeeded)
	pack := glob(t, f.State.Cache(), "git/*/current/objects/pack/*.pack")
	data, err := os.ReadFile(pack)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(data), "aaaaaaaaaa")
	familytest.Need(t, at > 0, "git has compressed the content")
	data[at] = 'b'
	replaceFile(t, pack, data)
	recipe := fmt.Sprintf(`git.checkout(%q, %q, DIR + "/release")`, s.url(), commit)
	f.Run(recipe).Want(events.RolledBack).WantError("is damaged", "will be fetched anew")
	wantTree(t, tree(t, f.Dir), map[string]string{".": "drwxr-xr-x"})
	f.Run(recipe).Want(events.Succeeded)
}

func warned(r *familytest.Result, text string) bool {
	for _, e := range r.Events() {
		if e.Kind == events.Log && e.Level == "warn" && strings.Contains(e.Text, text) {
			return true
		}
	}
	return false
}

func glob(t *testing.T, dir, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s in %s: %q, %v", pattern, dir, found, err)
	}
	return found[0]
}

// replaceFile writes a file anew: packs are read-only.
func replaceFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// After many fetches a copy is replaced by one in a single pack. The old one stays for a day.
func TestMirrorTidies(t *testing.T) {
	w, _, second := sample(t)
	s := serve(t, w)
	f := remoteFixture(t, s)
	f.Run(resolveRecipe(s.url(), "main", second)).Want(events.Succeeded)
	dir := glob(t, f.State.Cache(), "git/*")
	old := glob(t, dir, "copy-*")
	pack := glob(t, old, "objects/pack/*.pack")
	for i := range maxPacks {
		// Packs of the right name that nothing is read from.
		var id hash
		id[0] = byte(i + 1)
		name := filepath.Join(old, "objects", "pack", "pack-"+id.String())
		index, err := os.ReadFile(strings.TrimSuffix(pack, ".pack") + ".idx")
		if err != nil {
			t.Fatal(err)
		}
		copy(index[len(index)-40:], id[:])
		if err := os.WriteFile(name+".idx", index, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name+".pack", append(make([]byte, 12), id[:]...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	third := w.commit("third")
	r := f.Run(fmt.Sprintf(`git.resolve(%q, "main")`, s.url()))
	t.Log(r.Outcome.Error)
	f.Run(resolveRecipe(s.url(), "main", third)).Want(events.Succeeded)
	glob(t, dir, "current/objects/pack/*.pack")
	if _, err := os.Stat(old); err != nil {
		t.Errorf("the old copy was taken from those who read it: %v", err)
	}
	long := time.Now().Add(-2 * retired)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	f.Run(resolveRecipe(s.url(), "main", third)).Want(events.Succeeded)
	if _, err := os.Stat(old); err == nil {
		t.Error("the old copy was not removed")
	}
}

// Several runs fill one mirror at once.
func TestMirrorConcurrent(t *testing.T) {
	w, _, second := sample(t)
	s := serve(t, w)
	f := remoteFixture(t, s)
	src, err := parseSource(s.url(), "/")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			m := newMirror(f.State.Cache(), src)
			fetch := fetcher{remote: remote{src: src}, mirror: m, show: func(events.Bar) {}, warn: func(text string) { t.Error(text) }}
			if err := fetch.update(t.Context(), ""); err != nil {
				t.Error(err)
				return
			}
			r, err := m.open()
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			if at, err := r.resolve("main"); err != nil || at.commit.String() != second {
				t.Errorf("got %v, %v", at, err)
			}
		})
	}
	wg.Wait()
	if n := s.fetches.Load(); n != 1 {
		t.Errorf("%d packs were fetched, want 1", n)
	}
}
