package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"filippo.io/age"
)

// Blob names a content that was kept. It is data, for the arguments of an [Undo].
type Blob struct {
	Name   string `json:"name"` // file in blobs/: SHA-256 of the content in hex, or of what it was encrypted to
	Size   int64  `json:"size"` // of the content, in bytes
	Sealed bool   `json:"sealed,omitempty"`
}

// SHA256 returns the hash of the content in hex, "" of a sealed one: whoever knows the hash of a short secret can
// find the secret by trying.
func (b Blob) SHA256() string {
	if b.Sealed {
		return ""
	}
	return b.Name
}

// sealedPrefix begins the names of sealed blobs.
const sealedPrefix = "sealed-"

// sum returns the hash of the blob's file, in hex. Names come from undo records, and must not lead out of blobs/.
func (b Blob) sum() (string, error) {
	sum, sealed := strings.CutPrefix(b.Name, sealedPrefix)
	if raw, err := hex.DecodeString(sum); err != nil || len(raw) != sha256.Size || sealed != b.Sealed {
		return "", fmt.Errorf("%q is not the name of a blob", b.Name)
	}
	return sum, nil
}

// KeepOptions say how a content is kept.
type KeepOptions struct {
	Seal bool // encrypt it, with the key of the state directory: for contents that hold secrets
}

// Blobs keeps the contents that the undo records of one run refer to. All methods may be called by several
// goroutines at once. A [Journal] has one; [NewBlobs] is for reading without opening the journal.
type Blobs struct {
	dir     string // <run>/blobs
	keyFile string

	mu   sync.Mutex
	made bool                // dir exists, durably
	key  *age.X25519Identity // nil until needed
}

// NewBlobs returns the blobs of the run in runDir. Sealed ones are encrypted with the key in keyFile, which is
// made when the first is kept. If keyFile is "", it is the file "key" two directories above the run's: the state
// directory's, if the run's is <state>/runs/<run>.
func NewBlobs(runDir, keyFile string) *Blobs {
	if keyFile == "" {
		keyFile = filepath.Join(runDir, "..", "..", "key")
	}
	return &Blobs{dir: filepath.Join(runDir, "blobs"), keyFile: keyFile}
}

// makeDir makes the directory when the first content is kept. No goroutine goes on before it is durable.
func (s *Blobs) makeDir() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made {
		return nil
	}
	if err := makeDir(s.dir); err != nil {
		return err
	}
	s.made = true
	return nil
}

// Keep stores what r reads until its end. It is on the disk when Keep returns. To keep many at once, use NewBatch.
func (s *Blobs) Keep(r io.Reader, opts KeepOptions) (Blob, error) {
	batch := s.NewBatch()
	defer batch.Discard()
	b, err := batch.Keep(r, opts)
	if err != nil {
		return Blob{}, err
	}
	return b, batch.Sync()
}

// OpenBlob opens a content for reading. Whether it is what was kept is known when it has been read to its end: a
// damaged one ends with a *CorruptError instead of io.EOF. So do not put what is read into its place before it has
// ended well.
func (s *Blobs) OpenBlob(b Blob) (io.ReadCloser, error) {
	want, err := b.sum()
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	f, err := os.Open(filepath.Join(s.dir, b.Name))
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	sum := sha256.New()
	r := &blobReader{file: f, raw: io.TeeReader(f, sum), sum: sum, want: want, left: b.Size}
	r.content = r.raw
	if b.Sealed {
		if r.content, err = s.unseal(f.Name(), r.raw); err != nil {
			f.Close()
			return nil, err
		}
	}
	return r, nil
}

// blobReader reads a content, and compares at its end the hash of the file, encrypted or not, with its name.
type blobReader struct {
	file    *os.File
	raw     io.Reader // the file, through sum
	content io.Reader // raw, or raw decrypted
	sum     hash.Hash
	want    string
	left    int64 // bytes of content still to come
	err     error // how it ended
}

func (r *blobReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.content.Read(p)
	r.left -= int64(n)
	if err != nil {
		r.err = r.verify(err)
	}
	return n, r.err
}

// verify returns what to tell the reader when the content ends with err.
func (r *blobReader) verify(err error) error {
	if err != io.EOF {
		return unreadable(r.file.Name(), err)
	}
	if got := hex.EncodeToString(r.sum.Sum(nil)); got != r.want {
		return &CorruptError{r.file.Name(), -1, "its SHA-256 is " + got}
	}
	if r.left != 0 {
		return &CorruptError{r.file.Name(), -1, fmt.Sprintf("its size differs by %d bytes from what was recorded", -r.left)}
	}
	return io.EOF
}

// unreadable tells a disk that does not answer from one that answers wrongly.
func unreadable(name string, err error) error {
	var osErr *os.PathError
	if errors.As(err, &osErr) {
		return fmt.Errorf("read blob: %w", err)
	}
	return &CorruptError{name, -1, err.Error()}
}

func (r *blobReader) Close() error { return r.file.Close() }
