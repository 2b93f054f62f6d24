package archive

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRewind(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := newFrames(f, 3)
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string, times int) {
		t.Helper()
		for range times {
			if _, err := io.WriteString(out, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("kept ", 2<<20) // more than a frame
	m := out.mark()
	for range 3 {
		put("lost ", 3<<20)
		if err := out.rewind(m); err != nil {
			t.Fatal(err)
		}
	}
	put("end", 1)
	size, digest, err := out.finish()
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(packed)) != size || sumOf(string(packed)) != digest {
		t.Errorf("the size is %d and the sum %s, but %d bytes with %s were written", size, digest, len(packed), sumOf(string(packed)))
	}
	r, err := newUnpacker(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if want := strings.Repeat("kept ", 2<<20) + "end"; err != nil || string(got) != want {
		t.Errorf("%d bytes were read back, want %d; %v", len(got), len(want), err)
	}
}
