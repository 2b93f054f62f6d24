package git

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
)

const (
	lockPoll = 20 * time.Millisecond
	// maxPacks is how many fetches add to a copy before it is replaced by one in a single pack.
	maxPacks = 64
	// retired is how long a replaced copy stays, for those who still read it.
	retired = 24 * time.Hour
)

// lock waits until nobody else, in this process or another one, writes to the mirror. The kernel lets go of the lock
// when its holder dies.
func (m *mirror) lock(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep a mirror of %s: %w", m.src.text, err)
	}
	f, err := os.OpenFile(filepath.Join(m.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep a mirror of %s: %w", m.src.text, err)
	}
	poll := time.NewTicker(lockPoll)
	defer poll.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock the mirror of %s: %w", m.src.text, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("wait for the mirror of %s, which is being fetched: %w", m.src.text, context.Cause(ctx))
		case <-poll.C:
		}
	}
}

// create makes an empty copy, which nobody reads yet.
func (m *mirror) create() (string, error) {
	dir, err := os.MkdirTemp(m.dir, "copy-")
	if err == nil {
		err = newStore(osfs.New(dir)).Init()
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config"), []byte("[core]\n\trepositoryformatversion = 0\n\tbare = true\n"), 0o600)
	}
	if err == nil {
		err = m.replace(filepath.Join(dir, "HEAD"), []byte("ref: refs/heads/main\n"))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(m.dir, "url"), []byte(m.src.text+"\n"), 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("make a mirror of %s: %w", m.src.text, err)
	}
	return dir, nil
}

// publish makes a copy the one that is read.
func (m *mirror) publish(dir string) error {
	link := filepath.Join(m.dir, "current")
	next := link + ".new"
	err := os.Remove(next)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		err = os.Symlink(filepath.Base(dir), next)
	}
	if err == nil {
		err = os.Rename(next, link)
	}
	if err != nil {
		return fmt.Errorf("replace the mirror of %s: %w", m.src.text, err)
	}
	return nil
}

// distrust makes the next use of the mirror fetch it anew.
func (m *mirror) distrust() { os.Remove(filepath.Join(m.dir, "current")) }

// discard takes a copy away that nobody reads.
func (m *mirror) discard(dir string) { os.RemoveAll(dir) }

// tidy removes what an interrupted fetch left in the copy, and other copies that nobody reads any more. What cannot
// be removed does no harm.
func (m *mirror) tidy(current string) {
	pack := filepath.Join(current, "objects", "pack")
	entries, err := os.ReadDir(pack)
	if current != "" && err == nil {
		for _, e := range entries {
			base, isIndex := strings.CutSuffix(e.Name(), ".idx")
			_, err := os.Stat(filepath.Join(pack, base+".pack"))
			if strings.HasPrefix(e.Name(), "tmp_") || isIndex && errors.Is(err, os.ErrNotExist) {
				os.Remove(filepath.Join(pack, e.Name()))
			}
		}
	}
	copies, err := filepath.Glob(filepath.Join(m.dir, "copy-*"))
	if err != nil {
		return
	}
	for _, dir := range copies {
		if info, err := os.Stat(dir); dir != current && err == nil && time.Since(info.ModTime()) > retired {
			m.discard(dir)
		}
	}
}

// retire notes when a copy stopped being the one that is read.
func (m *mirror) retire(dir string) {
	now := time.Now()
	os.Chtimes(dir, now, now)
}

// setRefs replaces all references of a copy at once.
func (m *mirror) setRefs(dir string, refs map[string]hash, head string) error {
	var text strings.Builder
	text.WriteString("# pack-refs with: sorted\n")
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		fmt.Fprintf(&text, "%s %s\n", refs[name], name)
	}
	err := m.replace(filepath.Join(dir, "packed-refs"), []byte(text.String()))
	if err == nil && head != "" {
		err = m.replace(filepath.Join(dir, "HEAD"), []byte(head+"\n"))
	}
	if err != nil {
		return fmt.Errorf("note the references of %s: %w", m.src.text, err)
	}
	return nil
}

// replace writes a file of the mirror so that a reader finds the old or the new content.
func (m *mirror) replace(name string, content []byte) error {
	if old, err := os.ReadFile(name); err == nil && string(old) == string(content) {
		return nil
	}
	next := name + ".new"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return err
	}
	return os.Rename(next, name)
}
