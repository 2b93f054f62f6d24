package journal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Fingerprints are hashes of contents under the key of a state directory. By its fingerprint a content is known again;
// but whoever lacks the key cannot tell what it is, not even of a short one by trying.
type Fingerprints struct{ key []byte }

// OpenFingerprints returns those of the key in a file, which is made if it is not there and create is set.
func OpenFingerprints(keyFile string, create bool) (*Fingerprints, error) {
	identity, err := (&Blobs{keyFile: keyFile}).identity(create)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, []byte(identity.String()), nil, "infrarun fingerprints", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive a key for fingerprints: %w", err)
	}
	return &Fingerprints{key}, nil
}

// NewFingerprints returns those of a key that nobody else has.
func NewFingerprints() *Fingerprints { return &Fingerprints{[]byte(rand.Text())} }

// Of returns the fingerprint of a content. What it is of is part of it: the same content of something else has another.
func (f *Fingerprints) Of(what string, content []byte) []byte {
	sum := hmac.New(sha256.New, f.key)
	sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(what))))
	sum.Write([]byte(what))
	sum.Write(content)
	return sum.Sum(nil)
}
