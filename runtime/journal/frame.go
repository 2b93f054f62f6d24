package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The file is a header and then frames; see FORMAT.md.
const (
	magic         = "IRUNJRNL"
	version       = 1
	headerSize    = 16       // magic, version, CRC of both: the same in all versions to come
	frameHeadSize = 8        // length, CRC
	maxPayload    = 16 << 20 // a length above it is garbage
	minPayload    = len("{}\n")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header returns the beginning of a journal of the version that this program writes.
func header() []byte {
	return headerOf(version)
}

func headerOf(version uint32) []byte {
	h := append(make([]byte, 0, headerSize), magic...)
	h = binary.LittleEndian.AppendUint32(h, version)
	return binary.LittleEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
}

// frame wraps a payload. The checksum covers the length too, or a damaged length could make the checksum of
// other bytes count.
func frame(payload []byte) ([]byte, error) {
	if len(payload) > maxPayload {
		return nil, fmt.Errorf("record of %d bytes is over the limit of %d: keep contents as blobs, or journal fewer changes at once",
			len(payload), maxPayload)
	}
	f := make([]byte, frameHeadSize, frameHeadSize+len(payload))
	binary.LittleEndian.PutUint32(f, uint32(len(payload)))
	f = append(f, payload...)
	binary.LittleEndian.PutUint32(f[4:], checksum(f[:4], payload))
	return f, nil
}

// unframe returns the payload of the frame at the start of data, or nil and what is wrong with it.
func unframe(data []byte) (payload []byte, reason string) {
	if len(data) < frameHeadSize {
		return nil, "the frame is shorter than its head"
	}
	n := int64(binary.LittleEndian.Uint32(data))
	if n < int64(minPayload) || n > maxPayload {
		return nil, fmt.Sprintf("impossible length of frame %d", n)
	}
	if n > int64(len(data)-frameHeadSize) {
		return nil, fmt.Sprintf("the frame claims %d bytes, the file has %d more", n, len(data)-frameHeadSize)
	}
	payload = data[frameHeadSize : frameHeadSize+n]
	if want, got := binary.LittleEndian.Uint32(data[4:]), checksum(data[:4], payload); want != got {
		return nil, fmt.Sprintf("checksum of frame is %08x, should be %08x", got, want)
	}
	return payload, ""
}

func checksum(length, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, payload)
}
