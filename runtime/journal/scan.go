package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
)

// sectorSize is what a disk writes whole or not at all.
const sectorSize = 512

// scan reads a journal from memory. It returns what it says, and how many of its bytes are whole: what follows
// them is torn. The error is a *CorruptError or a *VersionError.
func scan(name string, data []byte) (*State, int64, error) {
	s := &State{}
	if tornHeader(data) {
		s.Torn, s.Cut = len(data) > 0, int64(len(data))
		return s, 0, nil
	}
	if err := checkHeader(name, data); err != nil {
		return nil, 0, err
	}
	off := headerSize
	for off < len(data) {
		payload, reason := unframe(data[off:])
		if payload == nil {
			if why := corrupt(data, off); why != "" {
				return nil, 0, &CorruptError{name, int64(off), reason + "; " + why}
			}
			s.Torn, s.Cut = true, int64(len(data)-off)
			break
		}
		var r record
		if err := json.Unmarshal(payload, &r); err != nil {
			return nil, 0, &CorruptError{name, int64(off), fmt.Sprintf("record is not readable: %v", err)}
		}
		if err := s.admit(&r); err != nil {
			return nil, 0, &CorruptError{name, int64(off), fmt.Sprintf("record contradicts those before it: %v", err)}
		}
		s.apply(&r)
		off += frameHeadSize + len(payload)
	}
	return s, int64(off), nil
}

// tornHeader reports whether data is what a crash leaves of a file that was being created: a part of the header,
// perhaps followed by zeros.
func tornHeader(data []byte) bool {
	written := bytes.TrimRight(data, "\x00")
	return len(written) < headerSize && bytes.HasPrefix(header(), written)
}

func checkHeader(name string, data []byte) error {
	if len(data) < headerSize || string(data[:len(magic)]) != magic {
		return &CorruptError{name, 0, "it does not begin as a journal does"}
	}
	sum := headerSize - 4
	if binary.LittleEndian.Uint32(data[sum:]) != crc32.Checksum(data[:sum], castagnoli) {
		return &CorruptError{name, 0, "checksum of the header is wrong"}
	}
	if v := binary.LittleEndian.Uint32(data[len(magic):]); v != version {
		return &VersionError{name, v}
	}
	return nil
}

// corrupt decides about the broken frame at off: the trace of a crash, which is cut off, or damage, which must
// never be. It returns "" for the first, else why.
//
// A crash can only break what was not yet synced, and that is always at the end of the file. So:
//
//   - If no whole frame follows, this is the end: a frame of which only a part, or zeros, reached the disk.
//   - If one follows, records were appended after this one. Most often that means damage. But "done" records
//     are appended without syncing, and a disk may write a later sector and lose an earlier one when the power
//     fails. Such a loss lies where no later record claims that all was synced, and leaves a sector of zeros.
//
// A broken length is why following frames are searched for byte by byte, and not where the length points. Nothing
// inside a broken frame passes for a following one: the top byte of a length is 0 or 1, and JSON text has no such byte.
func corrupt(data []byte, off int) string {
	follows, synced := 0, int64(0)
	for p := off + 1; p+frameHeadSize+minPayload <= len(data); {
		payload := follower(data[p:])
		if payload == nil {
			p++
			continue
		}
		if follows == 0 {
			follows = p
		}
		var r struct{ Synced int64 }
		if err := json.Unmarshal(payload, &r); err != nil {
			return fmt.Sprintf("the frame at byte %d is not readable either", p)
		}
		synced = max(synced, r.Synced)
		p += frameHeadSize + len(payload)
	}
	switch {
	case follows == 0:
		return ""
	case synced > int64(off):
		return fmt.Sprintf("that part was safely on the disk, and whole records follow from byte %d", follows)
	case !lostSector(data[:follows], off):
		return fmt.Sprintf("whole records follow from byte %d", follows)
	}
	return ""
}

// follower is unframe for a place where no frame need be. It looks at the braces first: summing up every
// candidate would take forever.
func follower(data []byte) []byte {
	n := int(binary.LittleEndian.Uint32(data))
	if n < minPayload || n > maxPayload || n > len(data)-frameHeadSize ||
		data[frameHeadSize] != '{' || data[frameHeadSize+n-1] != '\n' {
		return nil
	}
	payload, _ := unframe(data)
	return payload
}

// lostSector reports whether a sector of data has only zeros from off on.
func lostSector(data []byte, off int) bool {
	for off < len(data) {
		end := min(off/sectorSize*sectorSize+sectorSize, len(data))
		if len(bytes.Trim(data[off:end], "\x00")) == 0 {
			return true
		}
		off = end
	}
	return false
}
