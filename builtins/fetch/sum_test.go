package fetch

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"
)

func section(content []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(content), 0, int64(len(content)))
}

func TestParseSum(t *testing.T) {
	// The sums of an empty content.
	const (
		hex256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		sri256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	)
	empty512 := sha512.Sum512(nil)
	sri512 := base64.StdEncoding.EncodeToString(empty512[:])
	for text, want := range map[string]string{ // what it is canonically, or the error
		"sha256:" + hex256:                     "sha256:" + hex256,
		"sha256:" + strings.ToUpper(hex256):    "sha256:" + hex256,
		"sha256-" + sri256:                     "sha256:" + hex256,
		"sha512-" + sri512:                     "sha512:",
		"h1:" + sri256:                         "h1:" + sri256,
		"sha256:" + hex256[:62]:                "error: it has 31 bytes",
		"sha256:" + hex256[:63]:                "error: not encoded",
		"sha256:" + sri256:                     "error: not encoded",
		"sha256-" + hex256:                     "error: it has 48 bytes",
		"sha512-" + sri256:                     "error: it has 32 bytes",
		"sha256-" + sri256 + "\n":              "error: not encoded",
		"h1:" + sri256[:43]:                    "error: not encoded",
		"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=":    "error: no sum that is accepted",
		"md5:d41d8cd98f00b204e9800998ecf8427e": "error: no sum that is accepted",
		hex256:                                 "error: no sum that is accepted",
		"":                                     "error: no sum that is accepted",
	} {
		s, err := parseSum(text)
		wrong, fails := strings.CutPrefix(want, "error: ")
		switch {
		case fails && (err == nil || !strings.Contains(err.Error(), wrong)):
			t.Errorf("%q: got %v, want an error with %q", text, err, wrong)
		case !fails && err != nil:
			t.Errorf("%q: %v", text, err)
		case !fails && !strings.HasPrefix(s.canonical(), want):
			t.Errorf("%q is canonically %q, want %q", text, s.canonical(), want)
		case !fails && !s.plain() && s.verify(t.Context(), section(nil)) != nil:
			t.Errorf("%q is not the sum of nothing", text)
		}
	}
}

// The sum of a zip is the one that go.sum has.
func TestZipSum(t *testing.T) {
	content := makeZip(t, file("golang.org/x@v1/b", "b"), file("golang.org/x@v1/a/c", "c"), file("golang.org/x@v1/dir/", ""))
	path := filepath.Join(t.TempDir(), "x.zip")
	must(t, os.WriteFile(path, content, 0o600))
	want, err := dirhash.HashZip(path, dirhash.Hash1)
	must(t, err)
	s, err := parseSum(want)
	must(t, err)
	if err := s.verify(t.Context(), section(content)); err != nil {
		t.Error(err)
	}
	other := makeZip(t, file("golang.org/x@v1/b", "B"))
	if err := s.verify(t.Context(), section(other)); err == nil || !strings.Contains(err.Error(), "want "+want+"\n  got  h1:") {
		t.Errorf("another zip: got %v", err)
	}
	if err := s.verify(t.Context(), section([]byte("no zip"))); err == nil || !strings.Contains(err.Error(), "a sum h1 is that of a zip") {
		t.Errorf("no zip: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.verify(ctx, section(content)); err == nil {
		t.Error("the sum was computed after the run was stopped")
	}
}
