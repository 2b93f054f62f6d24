package redact

import (
	"cmp"
	"slices"
	"strings"
)

// headLength is how many bytes of a pattern find it. No pattern is shorter than [MinLength].
const headLength = 4

// index finds all patterns in one pass over a text. A bitmap over the first four bytes of every pattern turns away
// almost every position of ordinary text at the price of one multiplication; the few others compare the
// patterns that begin with those four bytes. Unlike an automaton it needs little more memory than the patterns,
// which for a private key and its encodings are a megabyte.
type index struct {
	patterns []string
	filter   [1 << 16 / 64]uint64
	byHead   map[uint32][]string // longest first
	starts   map[string]bool     // the first 1, 2 and 3 bytes of every pattern
	longest  int
}

func newIndex(patterns []string) *index {
	ix := &index{patterns: patterns, byHead: map[uint32][]string{}, starts: map[string]bool{}}
	for _, p := range patterns {
		h := head(p, 0)
		bit := hash(h)
		ix.filter[bit/64] |= 1 << (bit % 64)
		ix.byHead[h] = append(ix.byHead[h], p)
		for n := 1; n < headLength; n++ {
			ix.starts[p[:n]] = true
		}
		ix.longest = max(ix.longest, len(p))
	}
	for _, list := range ix.byHead {
		slices.SortFunc(list, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
	return ix
}

func head(text string, i int) uint32 {
	return uint32(text[i]) | uint32(text[i+1])<<8 | uint32(text[i+2])<<16 | uint32(text[i+3])<<24
}

func hash(head uint32) uint32 { return head * 0x9E3779B1 >> 16 }

// candidates returns the patterns that begin like text[i:], which has at least headLength bytes.
func (ix *index) candidates(text string, i int) []string {
	h := head(text, i)
	if bit := hash(h); ix.filter[bit/64]&(1<<(bit%64)) == 0 {
		return nil
	}
	return ix.byHead[h]
}

// match returns the length of the longest pattern that is at text[i:], 0 if none is.
func (ix *index) match(text string, i int) int {
	if len(text)-i < MinLength {
		return 0
	}
	for _, p := range ix.candidates(text, i) {
		if strings.HasPrefix(text[i:], p) {
			return len(p)
		}
	}
	return 0
}

func (ix *index) contains(text string) bool {
	for i := range len(text) {
		if ix.match(text, i) > 0 {
			return true
		}
	}
	return false
}

// redact replaces what it finds in text. The first covered bytes of text belong to a secret whose mark has been
// written before; something that overlaps them gets no second mark.
//
// If final is false, text may go on: then nothing is decided about the tail that could be the beginning of a
// pattern. It starts at text[rest], and its first restCovered bytes are covered in the sense above. If final is
// true, rest is len(text).
func (ix *index) redact(text string, covered int, final bool) (out string, rest, restCovered int) {
	rest = len(text)
	if !final {
		rest = ix.undecided(text)
	}
	var b strings.Builder
	end := covered // everything before it has been written, or is hidden
	for i := range rest {
		n := ix.match(text, i)
		if n == 0 {
			continue
		}
		if i >= end {
			b.WriteString(text[end:i])
			b.WriteString(Mark)
		}
		end = max(end, i+n)
	}
	if end == 0 {
		return text[:rest], rest, 0
	}
	if end < rest {
		b.WriteString(text[end:rest])
		end = rest
	}
	return b.String(), rest, end - rest
}

// undecided returns the first position from which on text is the beginning of a longer pattern; len(text) if
// there is none.
func (ix *index) undecided(text string) int {
	for i := max(0, len(text)-ix.longest+1); i < len(text); i++ {
		if ix.begins(text[i:]) {
			return i
		}
	}
	return len(text)
}

// begins reports whether some pattern begins with tail and is longer.
func (ix *index) begins(tail string) bool {
	if len(tail) < headLength {
		return ix.starts[tail]
	}
	for _, p := range ix.candidates(tail, 0) {
		if len(p) > len(tail) && strings.HasPrefix(p, tail) {
			return true
		}
	}
	return false
}
