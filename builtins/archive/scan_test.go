package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestHostileArchives(t *testing.T) {
	whole := func(items ...item) []item { return append(items, sumsOf(items)) }
	late := file("late", "x")
	late.ModTime = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
	late.Format = tar.FormatPAX
	nobody := file("nobody", "x")
	nobody.Uid, nobody.Format = 1<<32-1, tar.FormatPAX
	tests := []struct {
		name  string
		items []item
		want  string
	}{
		{"upwards", whole(dir(rootName), file("../escaped", "x")), "leads upwards"},
		{"upwards in the middle", whole(dir(rootName), dir("a/"), file("a/../../escaped", "x")), "leads upwards"},
		{"another spelling", whole(dir(rootName), file("./a", "x")), "is no plain path"},
		{"absolute", whole(dir(rootName), file("/tmp/escaped", "x")), "begins at the root directory"},
		{"the parent itself", whole(dir(rootName), dir("../")), "leads upwards"},
		{"through a link", whole(dir(rootName), special(tar.TypeSymlink, "a", "/tmp"), file("a/escaped", "x")), "in something that is no directory"},
		{"a link that becomes a directory", whole(dir(rootName), special(tar.TypeSymlink, "a", "/tmp"), dir("a/"), file("a/escaped", "x")), "in it twice"},
		{"below a file", whole(dir(rootName), file("a", "x"), file("a/b", "x")), "in something that is no directory"},
		{"a missing parent", whole(dir(rootName), file("a/b", "x")), "in something that is no directory"},
		{"twice", whole(dir(rootName), file("a", "x"), file("a", "y")), "in it twice"},
		{"hard link", whole(dir(rootName), special(tar.TypeLink, "a", "/etc/passwd")), "hard link"},
		{"device", whole(dir(rootName), special(tar.TypeBlock, "a", "")), "hard link, device or pipe"},
		{"pipe", whole(dir(rootName), special(tar.TypeFifo, "a", "")), "hard link, device or pipe"},
		{"link to nothing", whole(dir(rootName), special(tar.TypeSymlink, "a", "")), "which is no path"},
		{"the root last", whole(dir("a/"), dir(rootName)), "comes after what is in it"},
		{"beside a single file", whole(file("a", "x"), file("b", "x")), "beside the one file"},
		{"an entry after the sums", append(whole(dir(rootName)), file("a", "x")), "goes on after its list of sums"},
		{"no sums", []item{dir(rootName), file("a", "x")}, "no list of sums"},
		{"torn sums", []item{dir(rootName), file(manifestName, "abc")}, "list of sums is damaged"},
		{"a time that is none", whole(dir(rootName), late), "no time of a file"},
		{"an owner that is none", whole(dir(rootName), nobody), "which is nobody"},
		{"a long name", whole(dir(rootName), file(strings.Repeat("n", 300), "x")), "longer than 255 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			parent := t.TempDir()
			_, err := unpackInto(t, parent, makeTar(t, test.items))
			var refused *badArchive
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got the error %v, want one with %q", err, test.want)
			}
			onlyTemp(t, parent)
		})
	}
}

func TestWrongSums(t *testing.T) {
	items := []item{
		dir(rootName), file("a", "changed"), file("extra", "x"),
		file(manifestName, string(formatSums([]sum{{"a", sumOf("was")}, {"gone", sumOf("x")}}))),
	}
	found, err := scan(t.Context(), bytes.NewReader(compress(t, makeTar(t, items))), func(entry, io.Reader) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a has another content than the list of sums says", "extra is not in the list of sums", "gone is in the list of sums, but not in the archive",
	}
	if strings.Join(found.wrong, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, want %q", found.wrong, want)
	}
}

// TestEveryByte damages an archive at each place in turn. All damage must be seen, by one of the sums.
func TestEveryByte(t *testing.T) {
	items := []item{dir(rootName), file("a", strings.Repeat("content ", 50)), special(tar.TypeSymlink, "link", "a")}
	packed := compress(t, makeTar(t, append(items, sumsOf(items))))
	check := func(data []byte) bool {
		found, err := scan(t.Context(), bytes.NewReader(data), func(entry, io.Reader) error { return nil })
		return err == nil && len(found.wrong) == 0
	}
	unpack := func(data []byte) []byte {
		r, err := newUnpacker(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		raw, _ := io.ReadAll(r)
		return raw
	}
	if !check(packed) {
		t.Fatal("the archive is not whole to begin with")
	}
	for i := range packed {
		damaged := bytes.Clone(packed)
		damaged[i] ^= 0x10
		if check(damaged) && !bytes.Equal(unpack(damaged), unpack(packed)) {
			t.Errorf("damage at byte %d of %d is not seen", i, len(packed))
		}
		if i > 0 && check(packed[:i]) {
			t.Errorf("that all after byte %d is cut off is not seen", i)
		}
	}
}

func TestSums(t *testing.T) {
	sums := []sum{{"plain", sumOf("1")}, {"two  spaces", sumOf("2")}, {"new\nline\r", sumOf("3")}, {`back\nslash`, sumOf("4")}, {" ", sumOf("5")}}
	got, err := parseSums(formatSums(sums))
	if err != nil || len(got) != len(sums) {
		t.Fatalf("got %v, %v", got, err)
	}
	for i := range sums {
		if got[i] != sums[i] {
			t.Errorf("got %q, want %q", got[i], sums[i])
		}
	}
	for text, want := range map[string]string{
		"x":                                  "line 1: it has no end",
		sumOf("") + " a\n":                   "two spaces",
		sumOf("") + "  \n":                   "two spaces",
		"abc  a\n":                           "is no SHA-256 sum",
		strings.Repeat("A", 64) + "  a\n":    "is no SHA-256 sum",
		strings.Repeat(sumOf("")+"  a\n", 2): "line 2: \"a\" is named twice",
	} {
		if _, err := parseSums([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %q got the error %v, want %q", text, err, want)
		}
	}
}
