package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	formatcfg "github.com/go-git/go-git/v5/plumbing/format/config"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"
)

const (
	// streamed is the size from which an object is read as a stream instead of into memory.
	streamed = 1 << 20
	// maxObject bounds what is read as a whole: commits, trees and tags.
	maxObject = 64 << 20
	// cached bounds the memory for objects that others are deltas of.
	cached = 32 << 20
)

// repo is an open repository. It has no method that changes it. Close it unless something still reads from it.
type repo struct {
	where string // its URL or path, for errors
	at    location

	mu      sync.Mutex            // go-git's storage is for one goroutine
	stores  []*filesystem.Storage // the repository itself, then those it borrows objects from
	shallow map[hash]bool         // commits whose parents were not fetched
	commits map[hash]*commit
}

// damage is an object that should be there and is not, or cannot be read.
type damage struct {
	where string
	err   error
}

func (d *damage) Error() string {
	return fmt.Sprintf("the repository %s is damaged: %v", d.where, d.err)
}
func (d *damage) Unwrap() error { return d.err }

// openRepo opens the repository at a location.
func openRepo(where string, at location) (*repo, error) {
	r := &repo{where: where, at: at, commits: map[hash]*commit{}, shallow: map[hash]bool{}}
	var files billy.Filesystem = osfs.New(at.gitDir)
	if at.commonDir != at.gitDir {
		files = dotgit.NewRepositoryFilesystem(files, osfs.New(at.commonDir))
	}
	r.stores = append(r.stores, newStore(files))
	for _, dir := range at.borrowed {
		r.stores = append(r.stores, newStore(osfs.New(dir)))
	}
	if err := r.checkFormat(); err != nil {
		return nil, err
	}
	cut, err := r.stores[0].Shallow()
	if err != nil {
		return nil, &damage{where, fmt.Errorf("read which commits are the last ones: %w", err)}
	}
	for _, h := range cut {
		r.shallow[h] = true
	}
	return r, nil
}

func newStore(files billy.Filesystem) *filesystem.Storage {
	return filesystem.NewStorageWithOptions(files, cache.NewObjectLRU(cached), filesystem.Options{
		KeepDescriptors: true, LargeObjectThreshold: streamed,
	})
}

// readable are the extensions of git's repository format that do not matter to a reader of files and packs.
var readable = []string{"noop", "noop-v1", "preciousobjects", "worktreeconfig", "partialclone", "relativeworktrees"}

// checkFormat fails for a repository that is stored in a way that cannot be read, such as with SHA-256.
func (r *repo) checkFormat() error {
	cfg, err := r.stores[0].Config()
	if err != nil {
		return &damage{r.where, fmt.Errorf("read its config: %w", err)}
	}
	if v := cfg.Core.RepositoryFormatVersion; v != "" && v != formatcfg.Version_0 && v != formatcfg.Version_1 {
		return fmt.Errorf("the repository %s has the format version %s, which is not supported", r.where, v)
	}
	for _, o := range cfg.Raw.Section("extensions").Options {
		key, value := strings.ToLower(o.Key), strings.ToLower(o.Value)
		if slices.Contains(readable, key) || key == "objectformat" && value == "sha1" || key == "refstorage" && value == "files" {
			continue
		}
		return fmt.Errorf("the repository %s uses git's extension %s = %s, which is not supported", r.where, o.Key, o.Value)
	}
	return nil
}

// Close lets go of the files.
func (r *repo) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range r.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// store returns where an object is, nil if it is nowhere. The lock is held.
func (r *repo) store(h hash) (*filesystem.Storage, error) {
	for _, s := range r.stores {
		err := s.HasEncodedObject(h)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, plumbing.ErrObjectNotFound) {
			return nil, &damage{r.where, err}
		}
	}
	return nil, nil
}

// has reports whether an object is there.
func (r *repo) has(h hash) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.store(h)
	return s != nil, err
}

// open returns an object that must be there.
func (r *repo) open(h hash) (plumbing.EncodedObject, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.store(h)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, &damage{r.where, fmt.Errorf("it lacks the object %s; if it was cloned with --filter, clone it whole", h)}
	}
	obj, err := s.EncodedObject(plumbing.AnyObject, h)
	if err != nil {
		return nil, &damage{r.where, fmt.Errorf("object %s: %w", h, err)}
	}
	return obj, nil
}

// read returns an object as a whole, with its type.
func (r *repo) read(h hash) (plumbing.ObjectType, []byte, error) {
	obj, err := r.open(h)
	if err != nil {
		return 0, nil, err
	}
	if obj.Size() > maxObject {
		return 0, nil, fmt.Errorf("object %s of %s has %d MiB; the limit is %d", h, r.where, obj.Size()>>20, maxObject>>20)
	}
	content, err := obj.Reader()
	if err != nil {
		return 0, nil, &damage{r.where, fmt.Errorf("object %s: %w", h, err)}
	}
	defer content.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(io.LimitReader(content, maxObject)); err != nil {
		return 0, nil, &damage{r.where, fmt.Errorf("object %s: %w", h, err)}
	}
	return obj.Type(), buf.Bytes(), nil
}

// commit returns a commit that must be there. Where history was cut off it has no parents.
func (r *repo) commit(h hash) (*commit, error) {
	if c := r.commits[h]; c != nil {
		return c, nil
	}
	typ, data, err := r.read(h)
	if err != nil {
		return nil, err
	}
	if typ != plumbing.CommitObject {
		return nil, fmt.Errorf("%s in %s is a %s, not a commit", h, r.where, typ)
	}
	c, err := parseCommit(h, data)
	if err != nil {
		return nil, &damage{r.where, err}
	}
	if r.shallow[h] {
		c.parents = nil
	}
	r.commits[h] = c
	return c, nil
}

// tree returns the entries of a tree.
func (r *repo) tree(h hash) ([]treeEntry, error) {
	typ, data, err := r.read(h)
	if err != nil {
		return nil, err
	}
	if typ != plumbing.TreeObject {
		return nil, &damage{r.where, fmt.Errorf("%s is a %s, not a tree", h, typ)}
	}
	entries, err := parseTree(h, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.where, err)
	}
	return entries, nil
}

// blob opens the content of a file, as a stream, and returns its size in bytes.
func (r *repo) blob(h hash) (io.ReadCloser, int64, error) {
	obj, err := r.open(h)
	if err != nil {
		return nil, 0, err
	}
	if obj.Type() != plumbing.BlobObject {
		return nil, 0, &damage{r.where, fmt.Errorf("%s is a %s, not a file's content", h, obj.Type())}
	}
	content, err := obj.Reader()
	if err != nil {
		return nil, 0, &damage{r.where, fmt.Errorf("object %s: %w", h, err)}
	}
	return content, obj.Size(), nil
}

// size returns the size of a file's content in bytes without reading it.
func (r *repo) size(h hash) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.store(h)
	if err != nil {
		return 0, err
	}
	if s == nil {
		return 0, &damage{r.where, fmt.Errorf("it lacks the object %s", h)}
	}
	n, err := s.EncodedObjectSize(h)
	if err != nil {
		return 0, &damage{r.where, fmt.Errorf("object %s: %w", h, err)}
	}
	return n, nil
}
