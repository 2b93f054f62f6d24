package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Create makes the journal of a new run in dir, which it makes if need be, with meta as its first record. All of
// it is on the disk when it returns. The error wraps fs.ErrExist if dir has a journal already.
func Create(dir string, meta Meta) (*Journal, error) {
	name := filepath.Join(dir, filename)
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("create journal %s: %w", name, err)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create journal %s: another run has used this directory: %w", name, fs.ErrExist)
	}
	if err != nil {
		return nil, fmt.Errorf("create journal: %w", err)
	}
	j := newJournal(dir, f, &State{})
	if err := j.begin(meta); err != nil {
		f.Close()
		os.Remove(name) // it holds no entry yet; left there, it would be in the way of a second try
		return nil, err
	}
	return j, nil
}

func newJournal(dir string, f file, s *State) *Journal {
	return &Journal{Blobs: NewBlobs(dir, ""), file: f, name: filepath.Join(dir, filename), state: s}
}

// begin writes the header and the first record to an empty file, and makes its name durable: a synced file that no
// directory names is lost, too. The run's directory may be new, so the one above it is synced as well.
func (j *Journal) begin(meta Meta) error {
	if err := j.write("header", header()); err != nil {
		return err
	}
	if err := j.append(&record{Type: recBegin, Meta: &meta}, true); err != nil {
		return err
	}
	dir := filepath.Dir(j.name)
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := syncDir(d); err != nil {
			return j.fail("create", err)
		}
	}
	return nil
}

// Read returns what the journal in dir says, and changes nothing. The error wraps fs.ErrNotExist if there is no
// journal, and is a *CorruptError or *VersionError if it cannot be understood. While another process appends to it, the
// last record may be there in part: State.Torn is true then too.
func Read(dir string) (*State, error) {
	name := filepath.Join(dir, filename)
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	s, _, err := scan(name, data)
	return s, err
}

// Open opens the journal in dir to go on where another process stopped. It cuts off a torn tail and syncs what is
// left. The caller must be sure that nobody else has it open. Errors are those of [Read].
//
// A journal that a crash left without its first record is begun anew, with the directory's name as Meta.Run.
func Open(dir string) (*Journal, *State, error) {
	name := filepath.Join(dir, filename)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	j, err := resume(dir, f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return j, j.State(), nil
}

func resume(dir string, f *os.File) (*Journal, error) {
	data, err := os.ReadFile(f.Name())
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	s, whole, err := scan(f.Name(), data)
	if err != nil {
		return nil, err
	}
	if !s.begun {
		whole = 0
	}
	j := newJournal(dir, f, s)
	if err := f.Truncate(whole); err != nil {
		return nil, j.fail("cut the torn tail of", err)
	}
	j.size = whole
	// Also where nothing was cut: records that the other process did not sync may be in memory only, and what is
	// appended now will say that all before it is on the disk.
	if err := j.sync("open"); err != nil {
		return nil, err
	}
	if !s.begun {
		return j, j.begin(Meta{Run: filepath.Base(dir)})
	}
	return j, nil
}
