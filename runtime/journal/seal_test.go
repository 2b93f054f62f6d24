package journal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

func TestKey(t *testing.T) {
	dir := newRun(t)
	keyFile := filepath.Join(dir, "..", "..", "key")
	b, err := NewBlobs(dir, "").Keep(strings.NewReader("secret"), KeepOptions{Seal: true})
	must(t, err)
	info, err := os.Stat(keyFile)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the key is %o", info.Mode().Perm())
	}
	onlyFiles(t, filepath.Dir(filepath.Clean(keyFile)), "key", "runs")

	// A second run uses the same key.
	made, err := os.ReadFile(keyFile)
	must(t, err)
	_, err = NewBlobs(filepath.Join(dir, "..", "8"), "").Keep(strings.NewReader("x"), KeepOptions{Seal: true})
	must(t, err)
	if same, _ := os.ReadFile(keyFile); !bytes.Equal(made, same) {
		t.Error("the key was replaced")
	}
	must(t, makeKey(keyFile)) // the slower of two processes
	if same, _ := os.ReadFile(keyFile); !bytes.Equal(made, same) {
		t.Error("the slower process replaced the key")
	}

	other, err := age.GenerateX25519Identity()
	must(t, err)
	tests := []struct{ name, content, want string }{
		{"another key", other.String(), "not the one it was sealed with"},
		{"no key in it", "AGE-SECRET-KEY-1BROKEN", "not an age identity file"},
	}
	for _, tt := range tests {
		must(t, os.WriteFile(keyFile, []byte(tt.content), 0o600))
		_, err := NewBlobs(dir, "").OpenBlob(b)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), tt.content) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	must(t, os.Remove(keyFile))
	if _, err := NewBlobs(dir, "").OpenBlob(b); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "key") {
		t.Errorf("without the key: %v", err)
	}
	if _, err := os.Stat(keyFile); err == nil {
		t.Error("reading made a new key")
	}
}
