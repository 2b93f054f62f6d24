package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func readBlob(t testing.TB, s *Blobs, b Blob) string {
	t.Helper()
	r, err := s.OpenBlob(b)
	must(t, err)
	defer r.Close()
	content, err := io.ReadAll(r)
	must(t, err)
	return string(content)
}

var blobSizes = []int{0, 1, 4096, 64<<10 - 1, 64 << 10, 64<<10 + 1, 300000} // age works in chunks of 64 KiB

func TestKeepAndOpen(t *testing.T) {
	for _, seal := range []bool{false, true} {
		for _, size := range blobSizes {
			t.Run(fmt.Sprintf("seal=%v,size=%d", seal, size), func(t *testing.T) {
				dir := newRun(t)
				content := strings.Repeat("password", size/8+1)[:size]
				kept, err := NewBlobs(dir, "").Keep(strings.NewReader(content), KeepOptions{Seal: seal})
				must(t, err)
				// It goes through the journal to another process.
				encoded, err := json.Marshal(kept)
				must(t, err)
				var b Blob
				must(t, json.Unmarshal(encoded, &b))
				if got := readBlob(t, NewBlobs(dir, ""), b); got != content {
					t.Errorf("read %d bytes that are not the %d kept", len(got), size)
				}
				sum := sha256.Sum256([]byte(content))
				hash := hex.EncodeToString(sum[:])
				if b.Size != int64(size) || b.Sealed != seal || (b.SHA256() == hash) == seal {
					t.Errorf("blob %+v, hash %s", b, b.SHA256())
				}
				onlyFiles(t, filepath.Join(dir, "blobs"), b.Name)
				info, err := os.Stat(filepath.Join(dir, "blobs", b.Name))
				must(t, err)
				if info.Mode().Perm() != 0o600 {
					t.Errorf("mode %o", info.Mode().Perm())
				}
				stored, err := os.ReadFile(filepath.Join(dir, "blobs", b.Name))
				must(t, err)
				if seal && (strings.Contains(string(encoded), hash) || size >= 4096 && bytes.Contains(stored, []byte("password"))) {
					t.Error("the sealed blob shows its content or its hash")
				}
			})
		}
	}
}

func onlyFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

// Every byte of a blob's file counts, sealed or not, and the error names the file.
func TestDamagedBlob(t *testing.T) {
	for _, seal := range []bool{false, true} {
		dir := newRun(t)
		s := NewBlobs(dir, "")
		b, err := s.Keep(strings.NewReader(strings.Repeat("secret", 50)), KeepOptions{Seal: seal})
		must(t, err)
		path := filepath.Join(dir, "blobs", b.Name)
		whole, err := os.ReadFile(path)
		must(t, err)
		check := func(what string, data []byte) {
			t.Helper()
			must(t, os.WriteFile(path, data, 0o600))
			_, err := readAll(s, b)
			if err == nil || !strings.Contains(err.Error(), b.Name) {
				t.Errorf("seal=%v, %s: error %v, want one that names the file", seal, what, err)
			}
		}
		for i := range whole {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 1
			check(fmt.Sprintf("byte %d changed", i), damaged)
			check(fmt.Sprintf("cut at %d", i), whole[:i])
		}
		check("byte added", append(bytes.Clone(whole), 0))
		must(t, os.WriteFile(path, whole, 0o600))
		readBlob(t, s, b)

		var corrupt *CorruptError
		b.Size++
		if _, err := readAll(s, b); !errors.As(err, &corrupt) || corrupt.File != path {
			t.Errorf("wrong size: %v", err)
		}
	}
}

func readAll(s *Blobs, b Blob) ([]byte, error) {
	r, err := s.OpenBlob(b)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err == nil {
		return data, nil
	}
	if _, again := r.Read(make([]byte, 1)); again != err {
		return nil, fmt.Errorf("the error %v did not stay: %v", err, again)
	}
	return nil, err
}

func TestBlobNamesStayInTheDirectory(t *testing.T) {
	s := NewBlobs(newRun(t), "")
	sum := strings.Repeat("ab", 32)
	for _, b := range []Blob{
		{}, {Name: "../../key"}, {Name: sum[1:]}, {Name: "../" + sum}, {Name: sum, Sealed: true},
		{Name: sealedPrefix + sum}, {Name: sealedPrefix + "../" + sum, Sealed: true},
	} {
		if _, err := s.OpenBlob(b); err == nil || !strings.Contains(err.Error(), "not the name of a blob") {
			t.Errorf("%+v: %v", b, err)
		}
	}
	if _, err := s.OpenBlob(Blob{Name: sum}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a blob that is not there: %v", err)
	}
}

func TestBatch(t *testing.T) {
	dir := newRun(t)
	s := NewBlobs(dir, "")
	batch := s.NewBatch()
	defer batch.Discard()
	var kept []Blob
	const n = 2*maxOpen + 10 // more than may be open at once
	for i := range n {
		b, err := batch.Keep(strings.NewReader(fmt.Sprint("content ", i/2)), KeepOptions{Seal: i%50 == 0})
		must(t, err)
		kept = append(kept, b)
		if len(batch.files) > maxOpen {
			t.Fatalf("%d files are open", len(batch.files))
		}
	}
	must(t, batch.Sync())
	batch.Discard()
	for i, b := range kept {
		if got := readBlob(t, s, b); got != fmt.Sprint("content ", i/2) {
			t.Errorf("blob %d holds %q", i, got)
		}
	}
	must(t, batch.Sync())
}

func TestBatchThatIsGivenUp(t *testing.T) {
	dir := newRun(t)
	batch := NewBlobs(dir, "").NewBatch()
	_, err := batch.Keep(strings.NewReader("content"), KeepOptions{})
	must(t, err)
	if _, err := batch.Keep(iotest.ErrReader(io.ErrUnexpectedEOF), KeepOptions{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error of the reader: %v", err)
	}
	batch.Discard()
	onlyFiles(t, filepath.Join(dir, "blobs"))
}

// A batch that lost a content must not say later that all is well.
func TestBatchErrorStays(t *testing.T) {
	dir := newRun(t)
	batch := NewBlobs(dir, "").NewBatch()
	b, err := batch.Keep(strings.NewReader("content"), KeepOptions{})
	must(t, err)
	obstacle := filepath.Join(dir, "blobs", b.Name)
	must(t, os.MkdirAll(filepath.Join(obstacle, "full"), 0o700)) // a file cannot be renamed to it
	if err := batch.Sync(); err == nil {
		t.Fatal("Sync over an obstacle succeeded")
	}
	must(t, os.RemoveAll(obstacle))
	if err := batch.Sync(); err == nil {
		t.Error("the second Sync succeeded, but the content is lost")
	}
	onlyFiles(t, filepath.Join(dir, "blobs"))
}
