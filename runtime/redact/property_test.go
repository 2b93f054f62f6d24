package redact

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkHidden embeds secret in a text in every known way and looks for it in what String and Writer make of that.
func checkHidden(t *testing.T, before, secret, after string, cut int) {
	t.Helper()
	s := New()
	if s.Add(secret) != nil {
		return
	}
	for name, e := range embeddings {
		if name == "go" || name == "json" {
			// These look at runes: they may see one that begins in one part and ends in the next.
			if !utf8.ValidString(before) || !utf8.ValidString(secret) || !utf8.ValidString(after) {
				continue
			}
		}
		text := e.embed(before, secret, after)
		leak := e.leak(before, secret)
		if name == "go" {
			leak = strings.TrimSuffix(leak, "|")
		}
		out := s.String(text)
		for part := range strings.SplitSeq(out, Mark) {
			if strings.Contains(part, leak) {
				t.Errorf("%s: String(%q) = %q still has %q", name, text, out, leak)
			}
		}
		if !s.Contains([]byte(text)) {
			t.Errorf("%s: Contains(%q) is false", name, text)
		}
		if got := written(t, s, text, cut); got != out {
			t.Errorf("%s: Writer makes %q of %q, String makes %q (cut %d)", name, got, text, out, cut)
		}
	}
}

// written passes text through a Writer in pieces of n bytes.
func written(t *testing.T, s *Set, text string, n int) string {
	t.Helper()
	var out bytes.Buffer
	w := s.Writer(&out)
	for rest := text; rest != ""; {
		piece := rest[:min(n, len(rest))]
		rest = rest[len(piece):]
		if _, err := io.WriteString(w, piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestNothingLeaks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	// Few letters make secrets that overlap themselves and their context; many make every kind of escape.
	for _, alphabet := range []string{"ab", "aA0+/=", "0123456789abcdef", `é'"\<>&%+ /😀~` + "\t\n\x00\u2028"} {
		letters := []rune(alphabet)
		text := func(n int) string {
			var b strings.Builder
			for range n {
				b.WriteRune(letters[rng.IntN(len(letters))])
			}
			return b.String()
		}
		for range 400 {
			checkHidden(t, text(rng.IntN(9)), text(6+rng.IntN(20)), text(rng.IntN(9)), 1+rng.IntN(7))
		}
	}
}

// maxFuzz keeps the fuzzer at short texts, in bytes: it finds long ones of a single letter, which no secret is and
// which take long.
const maxFuzz = 200

func FuzzString(f *testing.F) {
	f.Add("user:", "hunter22", "@host", byte(3))
	f.Add("", `it's "a" <b> & c`, "\n", byte(1))
	f.Add("aaa", "aaaaaaa", "aaaa", byte(2))
	f.Fuzz(func(t *testing.T, before, secret, after string, cut byte) {
		if len(before)+len(secret)+len(after) > maxFuzz {
			return
		}
		checkHidden(t, before, secret, after, int(cut)+1)
	})
}

// FuzzTwoSecrets checks that a stream and a text give the same where secrets overlap.
func FuzzTwoSecrets(f *testing.F) {
	f.Add("abcdefgh", "efghijkl", "xabcdefghijklx", byte(1))
	f.Add("aaaaaa", "aaaaaaaab", "aaaaaaaaaaaaabaa", byte(4))
	f.Fuzz(func(t *testing.T, one, two, text string, cut byte) {
		if len(one)+len(two)+len(text) > maxFuzz {
			return
		}
		s := New()
		if s.Add(one) != nil || s.Add(two) != nil {
			return
		}
		out := s.String(text)
		if got := written(t, s, text, int(cut)+1); got != out {
			t.Errorf("Writer makes %q of %q, String makes %q", got, text, out)
		}
		for part := range strings.SplitSeq(out, Mark) {
			if s.Contains([]byte(part)) {
				t.Errorf("String(%q) = %q, and %q still has a secret", text, out, part)
			}
		}
	})
}

func BenchmarkString(b *testing.B) {
	s := setOf(b, "hunter22-correct-horse", strings.Repeat("-----a line of a key of sixty four bytes, give or take some----\n", 50))
	text := strings.Repeat("2026-11-22T10:00:00Z console: GET /api/v1/health 200 0.4 ms\n", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		_ = s.String(text)
	}
}
