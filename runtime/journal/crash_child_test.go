//go:build failpoints

package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const childVariable = "JOURNAL_TEST_CHILD" // "deploy DIR" or "rollback DIR"

func TestMain(m *testing.M) {
	job, dir, child := strings.Cut(os.Getenv(childVariable), " ")
	if !child {
		os.Exit(m.Run())
	}
	var err error
	if job == "deploy" {
		err = deploy(dir)
	} else {
		err = rollback(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var files = []string{"a", "secret", "c", "d", "e"}

func runDir(dir string) string { return filepath.Join(dir, "state", "runs", "7") }

// deploy replaces the content of every file: two of them one by one, the rest as a batch. Like a real run it rolls
// back if something fails.
func deploy(dir string) error {
	j, err := Create(runDir(dir), testMeta)
	if err != nil {
		return err
	}
	err = errors.Join(replace(j, dir, files[:1]), replace(j, dir, files[1:2]))
	if err == nil {
		err = replace(j, dir, files[2:])
	}
	if err == nil {
		err = j.Close(Committed)
	}
	if err == nil {
		return nil
	}
	j.Close(Unfinished)
	return errors.Join(err, rollback(dir))
}

type restoreArgs struct {
	Path string
	Old  Blob
}

func replace(j *Journal, dir string, names []string) error {
	batch := j.NewBatch()
	defer batch.Discard()
	var entries []*Entry
	for _, name := range names {
		path := filepath.Join(dir, name)
		old, err := os.Open(path)
		if err != nil {
			return err
		}
		blob, err := batch.Keep(old, KeepOptions{Seal: name == "secret"})
		old.Close()
		if err != nil {
			return err
		}
		args, err := json.Marshal(restoreArgs{path, blob})
		if err != nil {
			return err
		}
		entries = append(entries, &Entry{
			Call: "fs.write", Target: path, Class: ClassExact, Undo: &Undo{Kind: "restore", Args: args},
		})
	}
	if err := batch.Sync(); err != nil {
		return err
	}
	if err := j.Intend(entries...); err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.WriteFile(e.Target, []byte("new"), 0o600); err != nil {
			return err
		}
		if err := j.Done(e.ID, json.RawMessage(`"new"`)); err != nil {
			return err
		}
	}
	return nil
}

// rollback restores every file that the journal says may have been changed.
func rollback(dir string) error {
	j, s, err := Open(runDir(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it died before there was a journal
	}
	if err != nil {
		return err
	}
	if err := j.Undoing(); err != nil {
		return err
	}
	for _, e := range s.Pending() {
		var args restoreArgs
		if err := json.Unmarshal(e.Undo.Args, &args); err != nil {
			return err
		}
		r, err := j.OpenBlob(args.Old)
		if err != nil {
			return err
		}
		old, err := io.ReadAll(r)
		r.Close()
		if err != nil {
			return err
		}
		if err := os.WriteFile(args.Path, old, 0o600); err != nil {
			return err
		}
		if err := j.Undone(e.ID); err != nil {
			return err
		}
	}
	return j.Close(RolledBack)
}
