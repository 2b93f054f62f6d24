package git

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

// server serves repositories over https on the loopback, with git's own http-backend.
type server struct {
	*httptest.Server
	backend http.Handler
	fetches atomic.Int32 // how many packs were asked for
	asked   atomic.Int32 // how many requests there were

	mu    sync.Mutex
	token string                                            // what it wants as a password; "" for nothing
	odd   func(w http.ResponseWriter, r *http.Request) bool // answers instead, if it returns true
}

func serve(t testing.TB, w *work) *server {
	t.Helper()
	git, err := exec.LookPath("git")
	familytest.Need(t, err == nil, "git is not installed")
	s := &server{backend: &cgi.Handler{
		Path: git, Args: []string{"http-backend"},
		Env: []string{
			"GIT_PROJECT_ROOT=" + filepath.Dir(w.dir), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		},
		InheritEnv: []string{"PATH"}, Stderr: t.Output(),
	}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Server.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// url is where the repository is served.
func (s *server) url() string { return s.URL + "/repo" }

// host is its host:port.
func (s *server) host() string { return s.Listener.Addr().String() }

func (s *server) set(token string, odd func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.odd = token, odd
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	token, odd := s.token, s.odd
	s.mu.Unlock()
	s.asked.Add(1)
	if odd != nil && odd(w, r) {
		return
	}
	if _, password, _ := r.BasicAuth(); token != "" && password != token {
		w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
		// A server that repeats what it was sent must not make us repeat it.
		http.Error(w, "not welcome: "+r.Header.Get("Authorization")+" "+password, http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "git-upload-pack") {
		s.fetches.Add(1)
	}
	s.backend.ServeHTTP(w, r)
}
