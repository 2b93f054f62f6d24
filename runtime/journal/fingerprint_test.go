package journal

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestFingerprints(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if _, err := OpenFingerprints(key, false); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without a key: %v", err)
	}
	onlyFiles(t, filepath.Dir(key))
	made, err := OpenFingerprints(key, true)
	must(t, err)
	again, err := OpenFingerprints(key, false)
	must(t, err)
	other, err := OpenFingerprints(filepath.Join(t.TempDir(), "key"), true)
	must(t, err)
	one := made.Of("a", []byte("bc"))
	if !bytes.Equal(one, again.Of("a", []byte("bc"))) {
		t.Error("the same key gives another fingerprint")
	}
	for name, sum := range map[string][]byte{
		"another key": other.Of("a", []byte("bc")), "no key": NewFingerprints().Of("a", []byte("bc")),
		"another thing": made.Of("ab", []byte("c")), "another content": made.Of("a", []byte("bd")),
	} {
		if bytes.Equal(one, sum) {
			t.Errorf("%s gives the same fingerprint", name)
		}
	}
}
