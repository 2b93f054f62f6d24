package filesys

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Open opens a file for reading, through links. Anything but a file is refused.
func (v *View) Open(path string) (io.ReadCloser, error) {
	n, err := v.find(path, true)
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		return openRegular(path)
	}
	if err := n.readable(path, File); err != nil {
		return nil, err
	}
	return n.base.open()
}

// ReadFile reads a file whole, through links. It refuses one of more than max bytes.
func (v *View) ReadFile(path string, max int64) ([]byte, error) {
	f, err := v.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(data)) > max {
		return nil, fmt.Errorf("read %s: it has more than the %d bytes that are accepted", path, max)
	}
	return data, nil
}

// ReadDir lists a directory, sorted by name, through links. Entries that vanish meanwhile are left out.
func (v *View) ReadDir(dir string) ([]Info, error) {
	names, err := v.Names(dir)
	if err != nil {
		return nil, err
	}
	var infos []Info
	for _, name := range names {
		i, err := v.Lstat(join(dir, name))
		if isNotExist(err) {
			continue
		} else if err != nil {
			return nil, err
		}
		infos = append(infos, i)
	}
	return infos, nil
}

// Names lists the names in a directory, sorted, through links.
func (v *View) Names(dir string) ([]string, error) {
	n, err := v.find(dir, true)
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		return readNames(dir)
	}
	if err := n.readable(dir, Dir); err != nil {
		return nil, err
	}
	v.over.mu.RLock()
	defer v.over.mu.RUnlock()
	return n.names()
}

// Readlink returns the target of a link, as it stands there.
func (v *View) Readlink(path string) (string, error) {
	i, err := v.Lstat(path)
	if err != nil {
		return "", err
	}
	if i.Kind != Link {
		return "", &fs.PathError{Op: "readlink", Path: path, Err: errors.New("is no symbolic link")}
	}
	return i.Target, nil
}

// Hash returns the SHA-256 of a file's content in hex, through links.
func (v *View) Hash(path string) (string, error) {
	f, err := v.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return hash(path, f)
}

// hashFile is Hash for a file of the machine.
func hashFile(path string) (string, error) {
	f, err := openRegular(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return hash(path, f)
}

func hash(path string, r io.Reader) (string, error) {
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
