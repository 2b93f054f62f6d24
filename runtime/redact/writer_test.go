package redact

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
)

func TestWriterShowsLinesAtOnce(t *testing.T) {
	var out bytes.Buffer
	w := setOf(t, "hunter22").Writer(&out)
	for _, step := range []struct{ write, shown string }{
		{"listening on :80\n", "listening on :80\n"},
		{"password: hunt", "listening on :80\npassword: "},
		{"er2", "listening on :80\npassword: "},
		{"2", "listening on :80\npassword: [secret]"},
		{" then hunter", "listening on :80\npassword: [secret] then "},
		{"s", "listening on :80\npassword: [secret] then hunters"},
	} {
		if n, err := io.WriteString(w, step.write); n != len(step.write) || err != nil {
			t.Fatalf("Write(%q) = %d, %v", step.write, n, err)
		}
		if out.String() != step.shown {
			t.Fatalf("after %q:\n got %q\nwant %q", step.write, out.String(), step.shown)
		}
	}
}

func TestWriterFlush(t *testing.T) {
	var out bytes.Buffer
	w := setOf(t, "hunter22").Writer(&out)
	for range 2 {
		if _, err := io.WriteString(w, "say hun"); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "say hunsay hun"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A secret that overlaps itself without end must not be kept in memory as a whole.
func TestWriterHoldsLittle(t *testing.T) {
	var out bytes.Buffer
	w := setOf(t, "aaaaaaaa").Writer(&out)
	for range 1000 {
		if _, err := io.WriteString(w, strings.Repeat("a", 100)); err != nil {
			t.Fatal(err)
		}
		if len(w.held) > 64 {
			t.Fatalf("%d bytes are held back", len(w.held))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if out.String() != Mark {
		t.Errorf("got %.100q, want one mark", out.String())
	}
}

func TestWriterSecretAddedLater(t *testing.T) {
	var out bytes.Buffer
	s := New()
	w := s.Writer(&out)
	for _, text := range []string{"hunter22 ", "hunter22"} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if err := s.Add("hunter22"); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := out.String(), "hunter22 [secret]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

type failing struct{ calls int }

var errFull = errors.New("no space left")

func (f *failing) Write([]byte) (int, error) { f.calls++; return 0, errFull }

func TestWriterErrorStays(t *testing.T) {
	below := &failing{}
	w := setOf(t, "hunter22").Writer(below)
	for range 3 {
		if n, err := io.WriteString(w, "text"); n != 0 || !errors.Is(err, errFull) {
			t.Errorf("Write = %d, %v", n, err)
		}
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close = %v", err)
	}
	if below.calls != 1 {
		t.Errorf("the writer below was called %d times after its error", below.calls)
	}
}

func TestWriterConcurrent(t *testing.T) {
	var out bytes.Buffer
	s := setOf(t, "hunter22")
	w := s.Writer(&out)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				if _, err := io.WriteString(w, "pw hunter22\n"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, want := out.String(), strings.Repeat("pw [secret]\n", 400); got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}
