package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// frameSize is how many bytes go into one frame of zstd. Frames are compressed independently of each other, which is what
// lets all processors work; smaller ones would compress less well.
const frameSize = 4 << 20

// frames compresses what is written to it and writes it to a file, in order. A file of zstd frames is a zstd file.
//
// It can be set back to a mark, so that what was written since then is taken out again.
type frames struct {
	file    *os.File
	encoder *zstd.Encoder
	pending []byte      // the frame that is being filled
	queue   chan *frame // in the order in which they are written
	written sync.WaitGroup
	ended   chan struct{} // closed when the writing has ended
	spare   chan []byte   // buffers to use again

	// These belong to the goroutine that writes, and to others once written has been waited for.
	offset int64
	sum    hash.Hash

	mu  sync.Mutex
	err error // the first that occurred in writing
}

// frame is a part of what was written.
type frame struct {
	raw    []byte
	packed chan []byte
	mark   *mark // filled in before the frame is written; nil for most
}

// mark is a place to set back to.
type mark struct {
	offset int64
	sum    hash.Hash
}

// newFrames returns what writes to file, compressing at a level of zstd, 1 to 22.
func newFrames(file *os.File, level int) (*frames, error) {
	workers := runtime.GOMAXPROCS(0)
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(workers))
	if err != nil {
		return nil, fmt.Errorf("start compressing: %w", err)
	}
	f := &frames{
		file: file, encoder: encoder, sum: sha256.New(),
		queue: make(chan *frame, workers+1), ended: make(chan struct{}), spare: make(chan []byte, 2*workers+4),
	}
	f.pending = f.take()
	go f.serve()
	return f, nil
}

// take returns an empty buffer with room for a frame.
func (f *frames) take() []byte {
	select {
	case b := <-f.spare:
		return b
	default:
		return make([]byte, 0, frameSize)
	}
}

func (f *frames) giveBack(b []byte) {
	select {
	case f.spare <- b[:0]:
	default:
	}
}

// Write implements [io.Writer]. The error may be that of an earlier Write.
func (f *frames) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(len(p), frameSize-len(f.pending))
		f.pending = append(f.pending, p[:n]...)
		p = p[n:]
		if len(f.pending) == frameSize {
			f.flush(nil)
		}
	}
	return total, f.failure()
}

// flush hands on what is pending.
func (f *frames) flush(m *mark) {
	if len(f.pending) == 0 && m == nil {
		return
	}
	fr := &frame{raw: f.pending, packed: make(chan []byte, 1), mark: m}
	f.pending = f.take()
	f.written.Add(1)
	f.queue <- fr // waits when enough are being compressed
	go func() {
		fr.packed <- f.encoder.EncodeAll(fr.raw, f.take())
		f.giveBack(fr.raw)
	}()
}

// serve writes compressed frames in order.
func (f *frames) serve() {
	defer close(f.ended)
	for fr := range f.queue {
		if fr.mark != nil {
			fr.mark.offset, fr.mark.sum = f.offset, cloneHash(f.sum)
		}
		packed := <-fr.packed
		if f.failure() == nil {
			f.fail(f.put(packed))
		}
		f.giveBack(packed)
		f.written.Done()
	}
}

func (f *frames) put(packed []byte) error {
	n, err := f.file.WriteAt(packed, f.offset)
	f.offset += int64(n)
	f.sum.Write(packed)
	return err
}

// cloneHash copies the state of a sum. All of the standard library's can do that.
func cloneHash(h hash.Hash) hash.Hash {
	c, err := h.(hash.Cloner).Clone()
	if err != nil {
		panic(err)
	}
	return c
}

// mark ends the frame that is being filled and returns the place where the next one begins.
func (f *frames) mark() *mark {
	f.flush(nil)
	m := &mark{}
	f.flush(m) // an empty frame, which is no bytes: it only carries the mark
	return m
}

// rewind takes out what was written since the mark.
func (f *frames) rewind(m *mark) error {
	f.pending = f.pending[:0]
	f.written.Wait()
	if err := f.failure(); err != nil {
		return err
	}
	f.offset, f.sum = m.offset, cloneHash(m.sum)
	return f.file.Truncate(m.offset)
}

// finish writes what is left and returns the size and the SHA-256 sum of the file, in hex.
func (f *frames) finish() (size int64, sum string, err error) {
	f.flush(nil)
	f.stop()
	return f.offset, hex.EncodeToString(f.sum.Sum(nil)), f.failure()
}

// stop ends the writing. It may be called twice.
func (f *frames) stop() {
	if f.queue == nil {
		return
	}
	close(f.queue)
	<-f.ended
	f.queue = nil
	f.fail(f.encoder.Close())
}

func (f *frames) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil && err != nil {
		f.err = err
	}
}

func (f *frames) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// maxWindow is how much of what came before a frame may refer to, in bytes: as much as `zstd --long` asks for. It bounds
// the memory that reading takes.
const maxWindow = 128 << 20

// newUnpacker returns what reads what frames has written.
func newUnpacker(r io.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}
