package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// item is an entry of an archive made by a test.
type item struct {
	tar.Header
	content string
}

func file(name, content string) item {
	return item{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}, content}
}

func dir(name string) item {
	return item{tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}, ""}
}

func special(kind byte, name, link string) item {
	return item{tar.Header{Typeflag: kind, Name: name, Linkname: link, Mode: 0o644}, ""}
}

func sumOf(content string) string {
	digest := sha256.Sum256([]byte(content))
	return hex.EncodeToString(digest[:])
}

// sumsOf is the manifest of items.
func sumsOf(items []item) item {
	var sums []sum
	for _, i := range items {
		if i.Typeflag == tar.TypeReg {
			sums = append(sums, sum{i.Name, sumOf(i.content)})
		}
	}
	return file(manifestName, string(formatSums(sums)))
}

// makeTar makes a tar file as another program could have made it.
func makeTar(t testing.TB, items []item) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, i := range items {
		if err := w.WriteHeader(&i.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, i.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compress(t testing.TB, raw []byte) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return e.EncodeAll(raw, nil)
}

// unpackInto unpacks a tar file below parent, as archive.extract does before it gives the tree its name.
func unpackInto(t testing.TB, parent string, raw []byte) (contents, error) {
	t.Helper()
	temp := filepath.Join(parent, "temp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	before, err := scanTar(t.Context(), bytes.NewReader(raw), func(entry, io.Reader) error { return nil })
	if err != nil {
		return before, err
	}
	root, err := os.OpenRoot(temp)
	if err != nil {
		t.Fatal(err)
	}
	u := &unpacking{
		extraction: &extraction{dst: filepath.Join(parent, "dst"), found: before},
		warn:       func(string, ...any) {}, root: root, owners: newOwners(),
	}
	found, err := scanTar(t.Context(), bytes.NewReader(raw), u.make)
	if err == nil {
		err = u.finish()
	}
	return found, errors.Join(err, u.close())
}

// onlyTemp stops the test if anything was made beside the private directory.
func onlyTemp(t testing.TB, parent string) {
	t.Helper()
	entries, err := os.ReadDir(parent)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != "temp" {
		t.Fatalf("something was made outside: %v", entries)
	}
}
