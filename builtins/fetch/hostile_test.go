package fetch

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// plantAll unpacks an archive into a directory below parent, as fetch.tree does before the tree gets its name.
func plantAll(t testing.TB, parent string, packed []byte, plain bool, strip int) (*planter, error) {
	t.Helper()
	dir := filepath.Join(parent, "tree")
	must(t, os.Mkdir(dir, 0o755))
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	p := &planter{root: root, layout: layout{strip: strip}}
	if err := walk(t.Context(), section(packed), plain, newBar(func(events.Bar) {}, "", 0), p.plant); err != nil {
		return p, err
	}
	return p, p.finish(nil)
}

// onlyTree stops the test if anything was made beside the tree, or if something in it leads out of it.
func onlyTree(t testing.TB, parent string) {
	t.Helper()
	entries, err := os.ReadDir(parent)
	must(t, err)
	if len(entries) != 1 || entries[0].Name() != "tree" {
		t.Fatalf("something was made outside: %v", entries)
	}
}

func TestHostile(t *testing.T) {
	long := strings.Repeat("x/", 2048) + "y"
	for name, c := range map[string]struct {
		items []item
		want  string
	}{
		"upwards":                 {[]item{file("../a", "")}, "leads upwards"},
		"upwards inside":          {[]item{file("a/../../b", "")}, "leads upwards"},
		"upwards and back":        {[]item{file("a/../b", "")}, "leads upwards"},
		"absolute":                {[]item{file("/etc/passwd", "")}, "begins at the root"},
		"long":                    {[]item{file(long, "")}, "longer than 4096 bytes"},
		"long part":               {[]item{file(strings.Repeat("x", 256), "")}, "a part is longer than 255 bytes"},
		"twice":                   {[]item{file("a", "1"), file("a", "2")}, `"a" is in it twice`},
		"twice, spelled":          {[]item{file("a", "1"), file("./a", "2")}, `"a" is in it twice`},
		"below a file":            {[]item{file("a", ""), file("a/b", "")}, "as a directory, and as something else"},
		"a file for a directory":  {[]item{file("a/b", ""), file("a", "")}, `"a" is in it twice`},
		"the record":              {[]item{file(".fetched", "{}")}, "a file .fetched"},
		"link up":                 {[]item{file("f", ""), link("a", "..")}, "leads out of the tree"},
		"link to the root":        {[]item{file("f", ""), link("a", "/etc")}, "leads out of the tree"},
		"link up from below":      {[]item{file("d/f", ""), link("d/a", "../../x")}, "leads out of the tree"},
		"through a link":          {[]item{link("a", "d"), file("a/f", "")}, "as a directory, and as something else"},
		"links through links":     {[]item{file("d/f", ""), link("d/up", ".."), link("out", "d/up/..")}, "leads through others out of the tree"},
		"a circle":                {[]item{file("f", ""), link("a", "b"), link("b", "a")}, "in a circle"},
		"link replaced by a file": {[]item{link("a", "b"), file("a", "")}, "is in it twice"},
	} {
		for format, packed := range map[string][]byte{"tar": makeTar(t, c.items...), "zip": makeZip(t, c.items...)} {
			t.Run(name+" "+format, func(t *testing.T) { refused(t, packed, c.want) })
		}
	}
	for name, c := range map[string]struct {
		packed []byte
		want   string
	}{
		"device":             {makeTar(t, special(tar.TypeChar, "null", "")), "is a device"},
		"pipe":               {makeTar(t, special(tar.TypeFifo, "pipe", "")), "is a device, a pipe"},
		"pipe in a zip":      {makeZip(t, special(tar.TypeFifo, "pipe", "")), "is a device, a pipe"},
		"hard link out":      {makeTar(t, special(tar.TypeLink, "a", "../../etc/passwd")), "is a hard link"},
		"hard link to none":  {makeTar(t, special(tar.TypeLink, "a", "b"), file("b", "")), "is a hard link"},
		"hard link, link":    {makeTar(t, link("b", "c"), special(tar.TypeLink, "a", "b")), "is a hard link"},
		"hard link, dir":     {makeTar(t, dir("b"), special(tar.TypeLink, "a", "b")), "is a hard link"},
		"bomb":               {declared(t, maxBytes+1), "more than 4.0 GiB"},
		"bomb in a zip":      {zipBomb(t), "more than 4.0 GiB"},
		"long list of a zip": {longList(t), "list of files is too long"},
		"zip that lies":      {lyingZip(t), "not a valid zip file"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.packed, c.want) })
	}
}

func refused(t *testing.T, packed []byte, want string) {
	parent := t.TempDir()
	_, err := plantAll(t, parent, packed, false, 0)
	onlyTree(t, parent)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error with %q", err, want)
	}
}

// declared is the beginning of a tar file with a file of such a size.
func declared(t *testing.T, size int64) []byte {
	var b bytes.Buffer
	must(t, tar.NewWriter(&b).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "big", Size: size}))
	return b.Bytes()
}

// zipBomb is a zip whose files claim to be large together.
func zipBomb(t *testing.T) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"a", "b"} {
		_, err := w.CreateRaw(&zip.FileHeader{Name: name, UncompressedSize64: 3 << 30})
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// longList is a zip whose list of files is longer than what is read of one.
func longList(t *testing.T) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for range maxDirectory >> 16 {
		_, err := w.CreateRaw(&zip.FileHeader{Name: "a", Comment: strings.Repeat("x", 65535), Extra: make([]byte, 0)})
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// lyingZip is a zip with a file that is longer than its list of files says.
func lyingZip(t *testing.T) []byte {
	packed := makeZip(t, file("a", "longer than it says"))
	at := bytes.LastIndex(packed, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(packed[at+24:], 3)
	return packed
}

func TestHarmless(t *testing.T) {
	parent := t.TempDir()
	comment := item{tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "a commit"}}, ""}
	p, err := plantAll(t, parent, makeTar(t, comment, dir("top"), dir("top/"), file("top//a", "1"),
		link("top/dangling", "b/none"), link("top/here", "."), file("beside", "left out")), false, 1)
	if err != nil || p.files != 1 || p.kept != 1 {
		t.Fatalf("%d files of %d bytes, %v", p.files, p.kept, err)
	}
	onlyTree(t, parent)
}

// FuzzPlant unpacks what was made to do harm. Nothing may be made outside of the directory, no link may lead out of it, and
// no file may have more rights than it is to have.
func FuzzPlant(f *testing.F) {
	f.Add(makeTar(f, dir("d"), program("d/a", "content"), link("d/link", "../d/a"), special(tar.TypeLink, "d/b", "d/a")), false, 0)
	f.Add(makeTar(f, file("d/f", ""), link("d/up", ".."), link("out", "d/up/..")), false, 0)
	f.Add(makeZip(f, file("m@v1/bin/go", "go"), link("m@v1/x", "../y")), false, 1)
	f.Add(makeZip(f, file("m@v1/bin/go", "go")), true, 1)
	f.Add(gzipped(f, makeTar(f, file("a", "content"))), false, 0)
	f.Add(zstded(f, makeTar(f, file("a", "content"))), false, 0)
	f.Fuzz(func(t *testing.T, packed []byte, plain bool, strip int) {
		parent := t.TempDir()
		p, err := plantAll(t, parent, packed, plain, max(0, min(strip, 8)))
		onlyTree(t, parent)
		if err != nil {
			return
		}
		files := 0
		tree := filepath.Join(parent, "tree")
		err = filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			switch mode := info.Mode(); {
			case mode&fs.ModeSymlink != 0:
				end, err := filepath.EvalSymlinks(path)
				if err == nil && end != tree && !strings.HasPrefix(end, tree+"/") {
					t.Errorf("%s leads to %s", path, end)
				} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s: %v", path, err)
				}
			case !mode.IsDir():
				files++
				if mode != plainMode && mode != programMode {
					t.Errorf("%s has the mode %v", path, mode)
				}
			}
			return nil
		})
		if err != nil || files < p.files {
			t.Errorf("%d files were accepted, and %d are there, %v", p.files, files, err)
		}
	})
}

// FuzzZipSum computes the sum of what may be no zip.
func FuzzZipSum(f *testing.F) {
	f.Add(makeZip(f, file("a", "content"), file("d/", "")))
	f.Fuzz(func(t *testing.T, packed []byte) {
		s, err := zipSum(t.Context(), section(packed))
		if err == nil && (!s.plain() || s.verify(t.Context(), section(packed)) != nil) {
			t.Errorf("the sum is %v", s)
		}
	})
}
