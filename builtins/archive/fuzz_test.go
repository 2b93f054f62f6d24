package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

// FuzzUnpack unpacks tar files that were made to do harm. Nothing may be made outside of the directory, and what is
// accepted must be what the tree then has.
func FuzzUnpack(f *testing.F) {
	items := []item{dir(rootName), dir("d/"), file("d/a", "content"), special(tar.TypeSymlink, "d/link", "../../..")}
	f.Add(makeTar(f, append(items, sumsOf(items))))
	small := []item{dir(rootName), special(tar.TypeSymlink, "d", ".")}
	f.Add(makeTar(f, append(small, sumsOf(small))))
	f.Add(makeTar(f, []item{special(tar.TypeSymlink, "d", ".."), file("d/escaped", "x"), sumsOf([]item{file("d/escaped", "x")})}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := scanTar(t.Context(), bytes.NewReader(raw), func(entry, io.Reader) error { return nil }); err != nil {
			return // as archive.extract finds before it makes anything
		}
		parent := t.TempDir()
		found, err := unpackInto(t, parent, raw)
		onlyTemp(t, parent)
		if err != nil {
			return
		}
		files := strings.Count(familytest.Tree(t, filepath.Join(parent, "temp")), "\n")
		if found.root && files != found.entries+1 {
			t.Errorf("%d entries were accepted, and %d are there", found.entries, files-1)
		}
	})
}

// FuzzScan reads what is no zstd, or zstd of what is no tar.
func FuzzScan(f *testing.F) {
	items := []item{dir(rootName), file("a", "content")}
	f.Add(compress(f, makeTar(f, append(items, sumsOf(items)))))
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		_, err := scan(t.Context(), bytes.NewReader(packed), func(e entry, _ io.Reader) error {
			if e.name != "." && checkName(e.name) != nil {
				t.Errorf("the name %q was accepted", e.name)
			}
			return nil
		})
		var refused *badArchive
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("got %v", err)
		}
	})
}

// FuzzSums reads lists of sums.
func FuzzSums(f *testing.F) {
	f.Add(formatSums([]sum{{"a", sumOf("a")}, {"b\n\\", sumOf("b")}}))
	f.Fuzz(func(t *testing.T, text []byte) {
		sums, err := parseSums(text)
		if err != nil {
			return
		}
		again, err := parseSums(formatSums(sums))
		if err != nil || len(again) != len(sums) {
			t.Fatalf("%q became %v, %v", text, again, err)
		}
		for i := range sums {
			if sums[i] != again[i] {
				t.Errorf("%q became %q", sums[i], again[i])
			}
		}
	})
}
