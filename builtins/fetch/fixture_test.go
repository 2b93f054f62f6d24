package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	famfs "github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

func TestMain(m *testing.M) {
	firstPause = time.Millisecond
	os.Exit(m.Run())
}

func fixture(t testing.TB) *familytest.Fixture {
	return familytest.New(t, Family(), famfs.Family()).Grant("net", "localhost:*")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sha(content []byte) string {
	digest := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(digest[:])
}

// site is a server on loopback that counts what it is asked for.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	asked []string
	// special answers what it knows, and says whether it did.
	special func(w http.ResponseWriter, r *http.Request, n int) bool
}

func newSite(t testing.TB, files map[string][]byte) *site {
	t.Helper()
	s := &site{files: files}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.Close)
	return s
}

func (s *site) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	n := len(s.asked)
	s.mu.Unlock()
	if s.special != nil && s.special(w, r, n) {
		return
	}
	if content, ok := s.files[r.URL.Path]; ok {
		w.Write(content)
		return
	}
	http.NotFound(w, r)
}

// requests returns how often it was asked since the last time.
func (s *site) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.asked)
	s.asked = nil
	return n
}

// recipe puts the address, and the SHA-256 sums of its files as a dict SUM, before a recipe.
func (s *site) recipe(body string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "URL = %q\nSUM = {", s.URL)
	for path, content := range s.files {
		fmt.Fprintf(&text, "%q: %q, ", path, sha(content))
	}
	return text.String() + "}\n" + body
}

// item is an entry of an archive that a test makes.
type item struct {
	tar.Header
	content string
}

func file(name, content string) item {
	return item{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(1e9, 0)}, content}
}

func program(name, content string) item {
	i := file(name, content)
	i.Mode = 0o6775 // of which only 0755 is to be left
	return i
}

func dir(name string) item {
	return item{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o777}, ""}
}

func special(kind byte, name, link string) item {
	return item{tar.Header{Typeflag: kind, Name: name, Linkname: link, Mode: 0o644}, ""}
}

func link(name, to string) item { return special(tar.TypeSymlink, name, to) }

func makeTar(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, i := range items {
		must(t, w.WriteHeader(&i.Header))
		_, err := w.Write([]byte(i.content))
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func makeZip(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, i := range items {
		h := &zip.FileHeader{Name: i.Name, Method: zip.Deflate}
		mode := fs.FileMode(i.Mode & 0o777)
		switch i.Typeflag {
		case tar.TypeSymlink:
			mode, i.content = mode|fs.ModeSymlink, i.Linkname
		case tar.TypeFifo:
			mode |= fs.ModeNamedPipe
		}
		if i.Mode != 0 {
			h.SetMode(mode)
		}
		f, err := w.CreateHeader(h)
		must(t, err)
		_, err = f.Write([]byte(i.content))
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func gzipped(t testing.TB, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(raw)
	must(t, err)
	must(t, w.Close())
	return b.Bytes()
}

func zstded(t testing.TB, raw []byte) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	must(t, err)
	defer e.Close()
	return e.EncodeAll(raw, nil)
}

// npm is an archive as the npm registry has them.
func npm(t testing.TB, version string) []byte {
	return gzipped(t, makeTar(t, file("package/package.json", version), program("package/bin/node", "#!node "+version),
		dir("package/lib"), file("package/lib/cli.js", "cli"), link("package/bin/npm", "../lib/cli.js"),
		special(tar.TypeLink, "package/bin/nodejs", "package/bin/node")))
}
