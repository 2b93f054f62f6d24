package git

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

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
