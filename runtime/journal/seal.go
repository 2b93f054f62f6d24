package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
)

// Old contents of secret files must not stand in a run's directory in the clear: it is kept for a long time, copied
// into backups and attached to bug reports. The key stands apart, in the state directory, in the format of age's own
// command line, so that "age -d -i key blob" opens a blob by hand.

// identity returns the key, and makes one if there is none and create is set.
func (s *Blobs) identity(create bool) (*age.X25519Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key != nil {
		return s.key, nil
	}
	key, err := readKey(s.keyFile)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err := makeKey(s.keyFile); err != nil {
			return nil, fmt.Errorf("make the key for sealed contents: %w", err)
		}
		key, err = readKey(s.keyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key for sealed contents: %w", err)
	}
	s.key = key
	return key, nil
}

func readKey(name string) (*age.X25519Identity, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	keys, err := age.ParseIdentities(f)
	if err != nil {
		// The parser's message may quote the line, which may be most of a key.
		return nil, fmt.Errorf("%s is not an age identity file: restore it from a copy", name)
	}
	key, ok := keys[0].(*age.X25519Identity)
	if !ok {
		return nil, fmt.Errorf("%s begins with a key of type %T: want X25519 (AGE-SECRET-KEY-1…)", name, keys[0])
	}
	return key, nil
}

// makeKey makes a key that is whole and durable before it has its name. If another process was quicker, its key
// stays: contents may be sealed with it already.
func makeKey(name string) error {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	dir := filepath.Dir(name)
	if err := makeDir(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer discard(f)
	_, err = fmt.Fprintf(f, "# opens the sealed contents in runs/*/blobs, made %s\n%s\n", time.Now().UTC().Format(time.RFC3339), key)
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// unseal returns the content that raw, the file of that name, was sealed from.
func (s *Blobs) unseal(name string, raw io.Reader) (io.Reader, error) {
	key, err := s.identity(false)
	if err != nil {
		return nil, fmt.Errorf("open sealed blob %s: %w", name, err)
	}
	content, err := age.Decrypt(raw, key)
	var other *age.NoIdentityMatchError
	if errors.As(err, &other) {
		return nil, fmt.Errorf("open sealed blob %s: the key %s is not the one it was sealed with, or the blob is corrupt", name, s.keyFile)
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	return content, nil
}
