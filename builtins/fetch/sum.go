package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"go.starlark.net/starlark"
	"golang.org/x/mod/sumdb/dirhash"
)

// sum is the sum that something is to have. The zero value is none.
type sum struct {
	notation string // what stands before the digest: "sha256:", "sha512-", "h1:"
	digest   string // the bytes
}

// notations are how a sum is written. The sum h1 is that of names and contents in a zip, the others are those of its bytes.
var notations = []struct {
	prefix string
	size   int // of the digest, in bytes
	decode func(string) ([]byte, error)
	encode func([]byte) string
	hash   func() hash.Hash // nil: h1
}{
	{"sha256:", sha256.Size, hex.DecodeString, hex.EncodeToString, sha256.New},
	{"sha512:", sha512.Size, hex.DecodeString, hex.EncodeToString, sha512.New},
	{"sha256-", sha256.Size, base64.StdEncoding.Strict().DecodeString, base64.StdEncoding.EncodeToString, sha256.New},
	{"sha512-", sha512.Size, base64.StdEncoding.Strict().DecodeString, base64.StdEncoding.EncodeToString, sha512.New},
	{"h1:", sha256.Size, base64.StdEncoding.Strict().DecodeString, base64.StdEncoding.EncodeToString, nil},
}

// TypeName names the type in documentation.
func (*sum) TypeName() string { return "sum" }

// Unpack implements starlark.Unpacker.
func (s *sum) Unpack(v starlark.Value) error {
	text, ok := starlark.AsString(v)
	if !ok {
		return fmt.Errorf("got %s, want a sum such as \"sha256:HEX\"", v.Type())
	}
	var err error
	*s, err = parseSum(text)
	return err
}

func parseSum(text string) (sum, error) {
	for _, n := range notations {
		rest, found := strings.CutPrefix(text, n.prefix)
		if !found {
			continue
		}
		digest, err := n.decode(rest)
		// The decoders of base64 skip newlines.
		if err != nil || strings.ContainsAny(rest, "\r\n") {
			return sum{}, fmt.Errorf("%.200q is no sum: what follows %s is not encoded as it should be; was it copied whole?", text, n.prefix)
		}
		if len(digest) != n.size {
			return sum{}, fmt.Errorf("%.200q is no sum: it has %d bytes, and %s takes %d; was it copied whole?", text, len(digest), n.prefix, n.size)
		}
		return sum{n.prefix, string(digest)}, nil
	}
	return sum{}, fmt.Errorf("%.200q is no sum that is accepted; write sha256:HEX, sha512:HEX, sha256-BASE64, sha512-BASE64, or of a zip h1:BASE64", text)
}

// String writes the sum as it was given.
func (s sum) String() string {
	for _, n := range notations {
		if n.prefix == s.notation {
			return n.prefix + n.encode([]byte(s.digest))
		}
	}
	return "none"
}

// canonical writes equal sums equally, whatever their notation.
func (s sum) canonical() string {
	if s.plain() {
		return s.String()
	}
	return sum{s.notation[:len("sha256")] + ":", s.digest}.String()
}

// plain reports whether the sum covers only names and contents of the files of a zip, not what else is said in it.
func (s sum) plain() bool { return s.notation == "h1:" }

// of returns the sum of a content, in the notation of s.
func (s sum) of(ctx context.Context, content *io.SectionReader) (sum, error) {
	if s.plain() {
		return zipSum(ctx, content)
	}
	var h hash.Hash
	for _, n := range notations {
		if n.prefix == s.notation {
			h = n.hash()
		}
	}
	if _, err := io.Copy(h, &stoppable{ctx, io.NewSectionReader(content, 0, content.Size())}); err != nil {
		return sum{}, err
	}
	return sum{s.notation, string(h.Sum(nil))}, nil
}

// zipSum returns the sum h1 of a zip. The zip may be anybody's: it is read within the limits of what is unpacked.
func zipSum(ctx context.Context, content *io.SectionReader) (sum, error) {
	z, err := openZip(ctx, content)
	if err != nil {
		return sum{}, fmt.Errorf("a sum h1 is that of a zip: %w", err)
	}
	var names []string
	files := map[string]int{}
	for i, f := range z.File {
		names = append(names, f.Name)
		files[f.Name] = i
	}
	text, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		r, err := z.File[files[name]].Open()
		if err != nil {
			return nil, err
		}
		return readCloser{&stoppable{ctx, r}, r}, nil
	})
	if err != nil {
		return sum{}, fmt.Errorf("its sum h1 cannot be computed: %w", err)
	}
	return parseSum(text)
}

type readCloser struct {
	io.Reader
	io.Closer
}

// stoppable is a reader that ends with the context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// verify fails unless a content that was downloaded has the sum.
func (s sum) verify(ctx context.Context, content *io.SectionReader) error {
	got, err := s.of(ctx, content)
	if err != nil || got == s {
		return err
	}
	reason := "the file there has been replaced since the sum was noted, a mirror or proxy answers something else, or the " +
		"sum is that of another file; compare it with what the publisher says"
	head := make([]byte, 512)
	n, err := content.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if looksLikeHTML(head[:n]) {
		reason = "what came is an HTML page, such as a login or an error page, not the file; look at the address in a browser"
	}
	return fmt.Errorf("the sum is not the wanted one\n  want %s\n  got  %s, of %d bytes\n%s", s, got, content.Size(), reason)
}

func looksLikeHTML(head []byte) bool {
	head = bytes.ToLower(bytes.TrimLeft(head, " \t\r\n\xef\xbb\xbf"))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}
