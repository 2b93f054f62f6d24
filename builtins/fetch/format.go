package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is how much memory unpacking zstd may take, in bytes: as much as zstd itself allows by default.
const maxWindow = 128 << 20

// isZip reports whether a content begins as a zip, which is read in another way than the rest.
func isZip(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// headOf returns the beginning of a content, as much as tells the formats apart.
func headOf(r io.ReaderAt) ([]byte, error) {
	head := make([]byte, 512)
	n, err := r.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// decompress returns the tar file in a content, told by what the content begins with: a name may lie.
func decompress(head []byte, r io.Reader) (io.ReadCloser, error) {
	begins := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case begins("\x1f\x8b"):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("it is damaged: %w", err)
		}
		return z, nil
	case begins("\x28\xb5\x2f\xfd"):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("it is damaged: %w", err)
		}
		return z.IOReadCloser(), nil
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return io.NopCloser(r), nil
	}
	return nil, fmt.Errorf("it is %s, which is not unpacked; wanted is tar, as it is or compressed with gzip or zstd, or zip", nameOf(head))
}

// nameOf names what is no archive that is unpacked.
func nameOf(head []byte) string {
	begins := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case len(head) == 0:
		return "empty"
	case begins("\xfd7zXZ\x00"):
		return "compressed with xz"
	case begins("BZh"):
		return "compressed with bzip2"
	case begins("7z\xbc\xaf\x27\x1c"):
		return "a 7z archive"
	case begins("\x7fELF"):
		return "a program"
	case looksLikeHTML(head):
		return "an HTML page"
	}
	return "no archive that is known"
}
