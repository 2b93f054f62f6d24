package http_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.starlark.net/starlark"

	check "github.com/infrarun/infrarun/builtins/http"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// overlay is a family that enters predictions, as process.start does.
func overlay() *runtime.Family {
	type args struct {
		Port int `arg:"port"`
	}
	return &runtime.Family{Name: "overlay", Builtins: []*runtime.Builtin{
		runtime.Define(runtime.Builtin{Name: "overlay.take"}, func(c *runtime.Call, a args) (starlark.Value, error) {
			ports.Of(c.Reader().World()).Take(a.Port, "console")
			return nil, nil
		}),
		runtime.Define(runtime.Builtin{Name: "overlay.free"}, func(c *runtime.Call, a args) (starlark.Value, error) {
			ports.Of(c.Reader().World()).Free(a.Port)
			return nil, nil
		}),
	}}
}

func fixture(t *testing.T) *familytest.Fixture {
	return familytest.New(t, check.Family(), overlay()).Grant("net", "localhost:*")
}

// serve starts a server on loopback whose address, URL, is put before the recipes.
func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

func with(s *httptest.Server, recipe string) string {
	return fmt.Sprintf("URL = %q\nPORT = %d\n%s", s.URL, s.Listener.Addr().(*net.TCPAddr).Port, recipe)
}

// answers is a server of fixed answers.
func answers(t *testing.T) *httptest.Server {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
			io.WriteString(w, `{"status": "healthy", "db": {"hosts": [{"up": true}, {"up": false}]}, "n": 3}`)
		case "/starting":
			io.WriteString(w, `{"status": "starting"}`)
		case "/broken":
			http.Error(w, "out of order", http.StatusInternalServerError)
		case "/created":
			w.WriteHeader(http.StatusCreated)
		case "/echo":
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.Host, r.Header.Get("X-Token"), r.UserAgent(), body)
		case "/big":
			io.WriteString(w, strings.Repeat("ä", 1<<20))
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(make([]byte, 64<<20))
			z.Close()
		case "/cut":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "short")
		case "/hang":
			<-r.Context().Done()
		}
	})
}

func TestCheck(t *testing.T) {
	f, s := fixture(t), answers(t)
	for name, recipe := range map[string]string{
		"status":            `test.equal(http_check(URL + "/health").ok, True)`,
		"status of a list":  `test.equal(http_check(URL + "/created", status = [200, 201]).status, 201)`,
		"body":              `test.equal(http_check(URL + "/starting").body, "{\"status\": \"starting\"}")`,
		"contains, matches": `test.equal(http_check(URL + "/health", contains = "healthy", matches = "\"n\": [0-9]").ok, True)`,
		"json":              `test.equal(http_check(URL + "/health", json = {"status": "healthy", "db.hosts.1.up": False, "n": 3}).error, "")`,
		"head":              `test.equal(http_check(URL + "/health", method = "HEAD").body, "")`,
		"one attempt": `
r = http_check(URL + "/health", retries = 5, deadline = 60)
test.equal([(a.n, a.ok, a.status, a.error) for a in r.attempts], [(1, True, 200, "")])
test.equal(r.seconds < 60 and r.attempts[0].seconds <= r.seconds, True)`,
		"a long body is cut": `test.equal(http_check(URL + "/big").body, "ä" * (32 << 10))`,
	} {
		t.Run(name, func(t *testing.T) {
			f.Run(with(s, recipe)).Want(events.Succeeded)
			f.Preview(with(s, recipe)).Want(events.NoChange)
		})
	}
}

func TestReasons(t *testing.T) {
	f, s := fixture(t), answers(t)
	for call, want := range map[string]string{
		`http_check(URL + "/broken")`:                                   "status 500, want 200",
		`http_check(URL + "/broken", status = [200, 204])`:              "status 500, want 200 or 204",
		`http_check(URL + "/health", contains = "sick")`:                `body lacks "sick"`,
		`http_check(URL + "/health", matches = "^sick")`:                `body does not match "^sick"`,
		`http_check(URL + "/starting", json = {"status": "healthy"})`:   `json field status is "starting", want "healthy"`,
		`http_check(URL + "/health", json = {"db.hosts.0.down": True})`: "json field db.hosts.0.down is missing, want True",
		`http_check(URL + "/health", json = {"db.hosts.2": 1})`:         "json field db.hosts.2 is missing, want 1",
		`http_check(URL + "/health", json = {"status.x": 1})`:           "json field status.x is missing, want 1",
		`http_check(URL + "/health", json = {"db": 1})`:                 `json field db is {"hosts": [{"up": True}, {"up": False}]}, want 1`,
		`http_check(URL + "/echo", json = {"a": 1})`:                    "body is no JSON: at offset 0",
		`http_check(URL + "/big", contains = "x")`:                      "the body is longer than 1 MiB",
		`http_check(URL + "/gzip", matches = "x")`:                      "the body is longer than 1 MiB",
		`http_check(URL + "/cut")`:                                      "connection closed in the middle of the answer",
		`http_check(URL + "/hang", timeout = 0.05)`:                     "no answer within 50ms",
		`http_check(URL.replace("http:", "https:"))`:                    "it answers without TLS; ask for http:// instead",
		`http_check("http://localhost:1/")`:                             "connection refused",
	} {
		t.Run(want, func(t *testing.T) {
			f.Run(with(s, "r = "+call+"\ntest.equal(r.ok, False)\ntest.contains(r.error, "+fmt.Sprintf("%q", want)+")")).Want(events.Succeeded)
		})
	}
}

func TestRequest(t *testing.T) {
	f, s := fixture(t), answers(t)
	f.Run(with(s, `
r = http_check(URL + "/echo", method = "PUT", body = "hello", headers = {"X-Token": "t", "Host": "example.com"})
test.equal(r.body, "PUT example.com t infrarun hello")
`)).Want(events.Succeeded)
}

func TestPreview(t *testing.T) {
	f := fixture(t)
	var methods atomic.Value
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		methods.Store(r.Method)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	// Asked for real, once, however long the recipe would wait.
	f.Preview(with(s, `
r = http_check(URL, deadline = "24h", interval = "12h")
test.equal([len(r.attempts), r.ok, r.error], [1, False, "status 503, want 200"])
`)).Want(events.NoChange)
	r := f.Preview(with(s, `
overlay.free(PORT)
r = http_check(URL, deadline = "24h")
test.equal([r.ok, r.status], [False, 0])
test.contains(r.error, "nothing will listen on 127.0.0.1:")
overlay.take(PORT)
r = http_check(URL, status = [204, 200], deadline = "24h")
test.equal([r.ok, r.status, r.body, r.error], [True, 204, "", ""])
`)).Want(events.NoChange)
	if a := r.Events(events.Assumed); len(a) != 1 || a[0].Text != "console answers "+s.URL+" as wanted" {
		t.Errorf("assumed %+v", a)
	}
	methods.Store("")
	r = f.Preview(with(s, `test.equal(http_check(URL, method = "POST").ok, True)`)).Want(events.NoChange)
	if a := r.Events(events.Assumed); len(a) != 1 || methods.Load() != "" {
		t.Errorf("a preview posted: %q, assumed %+v", methods.Load(), a)
	}
	// In a run predictions do not count.
	f.Run(with(s, "overlay.take(PORT)\ntest.equal(http_check(URL).ok, False)")).Want(events.Succeeded)
}

func TestMistakes(t *testing.T) {
	f := fixture(t)
	for recipe, want := range map[string]string{
		`http_check("http://example.com/")`:                    "net: example.com:80 is not declared",
		`http_check("https://example.com/x")`:                  "net: example.com:443 is not declared",
		`http_check("http://[::2]:8080/")`:                     "net: [::2]:8080 is not declared",
		`http_check("localhost:8082/")`:                        "does not begin with http:// or https://",
		`http_check("ftp://localhost/")`:                       "does not begin with http:// or https://",
		`http_check("http:///x")`:                              "there is no host in it",
		`http_check("http://localhost:99999/")`:                "got 99999, want 1 to 65535",
		`http_check("http://local host/")`:                     "for parameter url: ",
		`http_check("http://localhost/", status = "ok")`:       "status",
		`http_check("http://localhost/", status = [])`:         "the list is empty",
		`http_check("http://localhost/", status = 2)`:          "2 is no HTTP status",
		`http_check("http://localhost/", matches = "(")`:       "for parameter matches: error parsing regexp",
		`http_check("http://localhost/", retries = -1)`:        "-1 is negative",
		`http_check("http://localhost/", timeout = 0)`:         "an attempt needs some time",
		`http_check("http://user:pass-word@example.com:1/")`:   "net: example.com:1 is not declared",
		`http_check("http://user:pass-word@localhost:1/\x7f")`: "for parameter url",
	} {
		r := f.Run(recipe)
		r.WantError(want)
		if strings.Contains(strings.SplitN(r.Outcome.Error, "\n", 2)[0], "pass-word") {
			t.Errorf("%s: the error shows the password: %s", recipe, r.Outcome.Error)
		}
	}
}
