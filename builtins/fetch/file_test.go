package fetch

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

const getApp = `fetch.file(URL + "/app", DIR + "/app", SUM["/app"], mode = "0755")`

func TestFile(t *testing.T) {
	f, s := fixture(t), newSite(t, map[string][]byte{"/app": []byte("program"), "/app2": []byte("program 2")})
	f.Run(s.recipe("r = " + getApp + `
test.equal([r.path, r.changed, r.size], [DIR + "/app", True, 7])
test.equal(fs.stat(r.path).mode, "0755")
`)).Want(events.Succeeded)
	s.requests()
	f.Run(s.recipe("r = " + getApp + "\ntest.equal([r.changed, r.size], [False, 7])")).Want(events.Succeeded)
	f.Preview(s.recipe(getApp)).Want(events.NoChange)
	must(t, os.Chmod(filepath.Join(f.Dir, "app"), 0o600))
	f.Run(s.recipe(getApp + "\n" + `test.equal(fs.stat(DIR + "/app").mode, "0755")`)).Want(events.Succeeded)
	if n := s.requests(); n != 0 {
		t.Errorf("%d requests for a file that is there", n)
	}
	before := familytest.Tree(t, f.Dir)
	f.Run(s.recipe(`
fetch.file(URL + "/app2", DIR + "/app", SUM["/app2"])
test.equal(fs.read(DIR + "/app"), "program 2")
`)).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}

func TestFilePreview(t *testing.T) {
	f, s := fixture(t), newSite(t, map[string][]byte{"/app": []byte("program")})
	r := f.Preview(s.recipe(`
r = ` + getApp + `
test.equal([r.path, r.changed], [DIR + "/app", True])
test.equal([fs.exists(r.path), fs.stat(r.path, follow = False) != None], [True, True])
test.equal(` + getApp + `.changed, False)
`)).Want(events.WouldChange)
	want := fmt.Sprintf("would fetch.file: download %s/app (sum %s), mode 0755", s.URL, sha([]byte("program")))
	if got := r.Summaries(); len(got) != 2 || got[0] != want || got[1] != "unchanged fetch.file: it has the sum already" {
		t.Errorf("the preview says %q, want %q", got, want)
	}
	f.Preview(s.recipe(getApp+".size")).Want(events.Refused).WantError("the size of what fetch.file downloads", "is not known in a preview")
	if n := s.requests(); n != 0 {
		t.Errorf("a preview made %d requests", n)
	}
	if got := familytest.Tree(t, f.Dir); strings.Count(got, "\n") != 1 {
		t.Errorf("a preview made something:\n%s", got)
	}
}

func TestFileErrors(t *testing.T) {
	f, s := fixture(t), newSite(t, map[string][]byte{"/app": []byte("program"), "/page": []byte("<!DOCTYPE html>\n<title>Sign in</title>")})
	s.special = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch r.URL.Path {
		case "/forbidden":
			w.WriteHeader(http.StatusForbidden)
		case "/partial":
			w.WriteHeader(http.StatusPartialContent)
		case "/ftp":
			w.Header().Set("Location", "ftp://localhost/x")
			w.WriteHeader(http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/huge":
			w.Header().Set("Content-Length", "5000000000")
		default:
			return false
		}
		return true
	}
	must(t, os.Mkdir(filepath.Join(f.Dir, "dir"), 0o755))
	before := familytest.Tree(t, f.Dir)
	for call, want := range map[string]string{
		`fetch.file(URL + "/none", DIR + "/x", SUM["/app"])`:                       s.URL + "/none: status 404 Not Found; is the address right?",
		`fetch.file(URL + "/forbidden", DIR + "/x", SUM["/app"])`:                  "status 403 Forbidden",
		`fetch.file(URL + "/partial", DIR + "/x", SUM["/app"])`:                    "status 206",
		`fetch.file(URL + "/page", DIR + "/x", SUM["/app"])`:                       "it is an HTML page",
		`fetch.file(URL + "/app", DIR + "/x", SUM["/page"])`:                       "got  " + sha([]byte("program")) + ", of 7 bytes",
		`fetch.file(URL + "/ftp", DIR + "/x", SUM["/page"])`:                       "redirected to ftp://localhost/x: that is no URL to download from",
		`fetch.file(URL + "/loop", DIR + "/x", SUM["/app"])`:                       "redirect number 11",
		`fetch.file(URL + "/huge", DIR + "/x", SUM["/app"])`:                       "longer than 4.0 GiB",
		`fetch.file("https" + URL[4:] + "/app", DIR + "/x", SUM["/app"])`:          "TLS handshake",
		`fetch.file("ftp://localhost/app", DIR + "/x", SUM["/app"])`:               "does not begin with http:// or https://",
		`fetch.file(URL + "/app", DIR + "/none/x", SUM["/app"])`:                   "the directory " + f.Dir + "/none does not exist",
		`fetch.file(URL + "/app", DIR + "/dir", SUM["/app"])`:                      "there is a directory",
		`fetch.file(URL + "/app", DIR + "/dir/", SUM["/app"])`:                     "ends in a slash",
		`fetch.file(URL + "/app", DIR + "/x", "sha256:12")`:                        "for parameter sum",
		`fetch.file(URL + "/app", DIR + "/x", SUM["/app"], retries = -1)`:          "for parameter retries",
		`fetch.file(URL + "/app", DIR + "/x", SUM["/app"], timeout = 0)`:           "for parameter timeout",
		`fetch.file("http://user:se/cret@localhost:1/", DIR + "/x", SUM["/app"])`:  "it is no URL",
		`fetch.file("http://localhost:1/app", DIR + "/x", SUM["/app"], retries=1)`: "connection refused (attempt 2, the last)",
	} {
		r := f.Run(s.recipe(call)).Want(events.Refused)
		if !strings.Contains(strings.Replace(r.Outcome.Error, "what came is", "it is", 1), want) {
			t.Errorf("%s: the error lacks %q:\n%s", call, want, r.Outcome.Error)
		}
		familytest.SameTree(t, call, familytest.Tree(t, f.Dir), before)
	}
}

// The server fails in each way that may pass, before it answers.
func TestRetries(t *testing.T) {
	f, s := fixture(t), newSite(t, map[string][]byte{"/app": []byte("program")})
	s.special = func(w http.ResponseWriter, _ *http.Request, n int) bool {
		switch n {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusTooManyRequests)
		case 3:
			w.Header().Set("Content-Length", "7")
			w.Write([]byte("prog")) // and no more
		case 4:
			panic(http.ErrAbortHandler)
		default:
			return false
		}
		return true
	}
	f.Run(s.recipe(`fetch.file(URL + "/app", DIR + "/app", SUM["/app"], retries = 4)`)).Want(events.Succeeded)
	if n := s.requests(); n != 5 {
		t.Errorf("%d requests, want 5", n)
	}
	f.Run(s.recipe(`fetch.file(URL + "/app", DIR + "/again", SUM["/app"], retries = 1)`)).Want(events.Refused).
		WantError("status 429 Too Many Requests (attempt 2, the last)")
	if n := s.requests(); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	s.special = nil
	f.Run(s.recipe(`fetch.file(URL + "/none", DIR + "/none", SUM["/app"])`)).Want(events.Refused)
	if n := s.requests(); n != 1 {
		t.Errorf("%d requests for what is not there, want 1", n)
	}
}

func TestRedirects(t *testing.T) {
	f, s := fixture(t), newSite(t, map[string][]byte{"/app": []byte("program")})
	other := newSite(t, s.files)
	var leaked string
	other.special = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		leaked = r.Header.Get("Referer") + r.Header.Get("Authorization")
		return false
	}
	s.special = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/outside":
			http.Redirect(w, r, "http://192.0.2.1/app", http.StatusFound)
		case r.URL.Path == "/moved" && user == "joe" && password == "hunter22" && r.URL.RawQuery == "token=t0ken":
			http.Redirect(w, r, other.URL+"/app", http.StatusTemporaryRedirect)
		default:
			return false
		}
		return true
	}
	r := f.Run(s.recipe(`fetch.file(URL.replace("://", "://joe:hunter22@") + "/moved?token=t0ken", DIR + "/app", SUM["/app"])`)).Want(events.Succeeded)
	if leaked != "" {
		t.Errorf("sent on: %q", leaked)
	}
	for _, e := range r.Events() {
		if text := fmt.Sprintf("%+v %+v %+v", e, e.Change, e.Progress); strings.Contains(text, "hunter22") || strings.Contains(text, "t0ken") {
			t.Errorf("a secret is shown: %s", text)
		}
	}
	r = f.Run(s.recipe(`
secret = URL.replace("://", "://joe:hunter22@") + "/none?token=t0ken"
fetch.file(secret, DIR + "/b", SUM["/app"])`)).Want(events.Refused).
		WantError("http://***@127.0.0.1:", "/none?***: status 404")
	if strings.Contains(r.Outcome.Error, "hunter22") || strings.Contains(r.Outcome.Error, "t0ken") {
		t.Errorf("a secret is shown: %s", r.Outcome.Error)
	}
	f.Run(s.recipe(`fetch.file(URL + "/outside", DIR + "/x", SUM["/app"])`)).Want(events.DeniedRun).WantError("net: 192.0.2.1:80 is not declared")
	f.Run(s.recipe(`fetch.file("http://192.0.2.1/app", DIR + "/x", SUM["/app"])`)).Want(events.DeniedRun)
	f.Run(s.recipe(`fetch.file(URL + "/app", "/etc/none", SUM["/app"])`)).Want(events.DeniedRun).WantError("fs.write: /etc/none is not declared")
}
