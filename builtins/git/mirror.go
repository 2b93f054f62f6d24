package git

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mirror is the copy of a remote repository in the cache:
//
//	<cache>/git/<sha256 of the URL>/
//	    url         for a person who looks
//	    lock        held while something is fetched
//	    current     a link to the copy that is read
//	    copy-*/     bare repositories
//
// Who reads needs no lock: fetching adds a pack and then replaces packed-refs, and a copy that is found damaged is
// not repaired but replaced by another one, so that what somebody reads is never taken away; it is removed a day
// later. Everything that is written here is written by the methods in mirror_write.go.
type mirror struct {
	src source
	dir string
}

func newMirror(cache string, src source) *mirror {
	sum := sha256.Sum256([]byte(src.text))
	return &mirror{src: src, dir: filepath.Join(cache, "git", hex.EncodeToString(sum[:]))}
}

// current returns the directory of the copy that is read, "" if there is none.
func (m *mirror) current() (string, error) {
	name, err := os.Readlink(filepath.Join(m.dir, "current"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("mirror of %s: %w", m.src.text, err)
	}
	return filepath.Join(m.dir, filepath.Base(name)), nil
}

// open opens the copy, nil if there is none. Its error is a *damage if there is one that cannot be used.
func (m *mirror) open() (*repo, error) {
	dir, err := m.current()
	if err != nil || dir == "" {
		return nil, err
	}
	if !isGitDir(dir) {
		return nil, &damage{m.src.text, errors.New("its mirror is incomplete")}
	}
	if err := checkPacks(dir); err != nil {
		return nil, &damage{m.src.text, err}
	}
	r, err := openRepo(m.src.text, bare(dir))
	if err != nil {
		return nil, &damage{m.src.text, err}
	}
	return r, nil
}

// checkPacks fails if a pack was not written whole, as a power cut can leave it. A pack ends in the checksum that
// it is named after; that the last bytes are there is what can be told without reading all.
func checkPacks(dir string) error {
	packs, err := packFiles(dir)
	if err != nil {
		return err
	}
	for _, name := range packs {
		want := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "pack-"), ".pack")
		got, err := lastBytes(name, 20)
		if err != nil {
			return err
		}
		if hex.EncodeToString(got) != want {
			return fmt.Errorf("%s is cut off", filepath.Base(name))
		}
		if _, err := os.Stat(strings.TrimSuffix(name, ".pack") + ".idx"); err != nil {
			return err
		}
	}
	return nil
}

func packFiles(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(dir, "objects", "pack", "pack-*.pack"))
}

func lastBytes(name string, n int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() < n {
		return nil, fmt.Errorf("%s is cut off", filepath.Base(name))
	}
	buf := make([]byte, n)
	_, err = io.ReadFull(io.NewSectionReader(f, info.Size()-n, n), buf)
	return buf, err
}
