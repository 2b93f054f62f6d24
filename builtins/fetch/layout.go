package fetch

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// The limits of what is unpacked.
const (
	maxBytes     = 4 << 30 // all files together
	maxEntries   = 500_000
	maxName      = 4096     // bytes of a path
	maxComponent = 255      // bytes of a part of one
	maxNames     = 64 << 20 // bytes of all paths together
)

func tooMany() error {
	return fmt.Errorf("it has more than %d entries, which is more than is unpacked", maxEntries)
}

func tooLarge() error {
	return fmt.Errorf("its files are more than %s, which is more than is unpacked", filesys.Bytes(maxBytes))
}

// layout decides where the entries of an archive go, and refuses those that may go nowhere.
type layout struct {
	strip      int      // how many leading elements of a name are dropped
	executable []string // patterns of what is executable, whatever the archive says

	kinds          map[string]kind // what is where, below the tree
	entries, files int
	bytes, kept    int64 // of all files, and of those that get a name
	nameBytes      int
}

// place returns the entry with the name it gets below the tree, and the directories that are to be made before it, outermost
// first; a directory itself is the last of those. An entry that gets no name, since nothing is left of it, is skipped.
func (l *layout) place(e entry) (placed entry, dirs []string, skip bool, err error) {
	if l.entries++; l.entries > maxEntries {
		return e, nil, false, tooMany()
	}
	// What is skipped counts as well: it has to be read.
	if e.size < 0 || e.size > maxBytes-l.bytes {
		return e, nil, false, tooLarge()
	}
	l.bytes += e.size
	if e.name, err = l.stripped(e.name); err != nil || e.name == "" {
		return e, nil, true, err
	}
	if l.nameBytes += len(e.name); l.nameBytes > maxNames {
		return e, nil, false, fmt.Errorf("the names in it are more than %s", filesys.Bytes(maxNames))
	}
	if e.name == recordName {
		return e, nil, false, fmt.Errorf("it has a file %s, where what the tree was made from is to be noted", recordName)
	}
	if l.kinds == nil {
		l.kinds = map[string]kind{}
	}
	dir := path.Dir(e.name)
	if e.kind == aDir {
		dir = e.name
	}
	if dirs, err = l.missing(dir); err != nil || e.kind == aDir {
		return e, dirs, false, err
	}
	if _, twice := l.kinds[e.name]; twice {
		return e, nil, false, fmt.Errorf("%.200q is in it twice", e.name)
	}
	if e, err = l.accept(e); err == nil {
		l.kinds[e.name] = e.kind
	}
	return e, dirs, false, err
}

// accept looks at what is not a directory.
func (l *layout) accept(e entry) (entry, error) {
	switch e.kind {
	case aFile:
		l.files++
		l.kept += e.size
		for _, pattern := range l.executable {
			if matches, _ := path.Match(pattern, e.name); matches {
				e.executable = true
			}
		}
	case aLink:
		return e, checkTarget(e.name, e.target)
	case aHardLink:
		target, err := l.stripped(e.target)
		if err != nil || l.kinds[target] != aFile {
			return e, fmt.Errorf("%.200q is a hard link to %.200q, which is no file before it in the tree", e.name, e.target)
		}
		e.target = target
	}
	return e, nil
}

// missing enters a directory and those above it, and returns which of them are new.
func (l *layout) missing(dir string) ([]string, error) {
	if dir == "." || l.kinds[dir] == aDir {
		return nil, nil
	}
	if l.kinds[dir] != 0 {
		return nil, fmt.Errorf("%.200q is in it as a directory, and as something else", dir)
	}
	above, err := l.missing(path.Dir(dir))
	if err != nil {
		return nil, err
	}
	l.kinds[dir] = aDir
	l.nameBytes += len(dir)
	return append(above, dir), nil
}

// stripped returns the name that is left of one in an archive, "" if none is.
func (l *layout) stripped(name string) (string, error) {
	clean, err := cleanName(name)
	if err != nil {
		return "", err
	}
	for range l.strip {
		_, rest, found := strings.Cut(clean, "/")
		if !found {
			return "", nil
		}
		clean = rest
	}
	if clean == "." {
		return "", nil
	}
	return clean, nil
}

// cleanName returns the one spelling of a name in an archive, and refuses those that lead out of it.
func cleanName(name string) (string, error) {
	switch {
	case name == "":
		return "", errors.New("an entry has no name")
	case len(name) > maxName:
		return "", fmt.Errorf("the name %.40q… is longer than %d bytes", name, maxName)
	case strings.ContainsRune(name, 0):
		return "", fmt.Errorf("the name %.200q holds a NUL byte", name)
	case strings.HasPrefix(name, "/"):
		return "", fmt.Errorf("the name %.200q begins at the root directory", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("the name %.200q leads upwards", name)
		}
		if len(part) > maxComponent {
			return "", fmt.Errorf("in the name %.40q… a part is longer than %d bytes", name, maxComponent)
		}
	}
	return path.Clean(name), nil
}

// checkTarget refuses a link that leads out of the tree by its spelling. Whether it does through other links is seen when
// all are made.
func checkTarget(name, target string) error {
	if target == "" || len(target) > maxName || strings.ContainsRune(target, 0) {
		return fmt.Errorf("the link %.200q leads to %.40q, which is no path", name, target)
	}
	end := path.Join(path.Dir(name), target)
	if strings.HasPrefix(target, "/") || end == ".." || strings.HasPrefix(end, "../") {
		return fmt.Errorf("the link %.200q leads out of the tree, to %.200q", name, target)
	}
	return nil
}
