package events

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// The page is well formed, loads nothing and escapes everything.
func TestReportIsHarmless(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)>` + "\x1b[2J\x00\u202e\xff"
	for _, s := range streams() {
		var p page
		r := NewReport(p.open)
		for _, e := range s.events {
			r.Handle(redacted(e, func(text string) string { return text + evil }))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script", "<img", "src=x\"", "http://", "https://", "url(", "@import", "ZgotmplZ", "\x1b", "\x00", "\u202e", "\xff", "\ufffd"} {
			if strings.Contains(p.String(), bad) {
				t.Errorf("%s: the page holds %q", s.name, bad)
			}
		}
		d := xml.NewDecoder(strings.NewReader(p.String()))
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: the page is not well formed: %v", s.name, err)
			}
		}
		if p.opened != 1 || p.closed != 1 {
			t.Errorf("%s: opened %d and closed %d times", s.name, p.opened, p.closed)
		}
	}
}

// A run that was killed has a report without an outcome, and no metrics.
func TestWithoutOutcome(t *testing.T) {
	events := successStream().events
	var p, q page
	play(t, NewReport(p.open), events[:len(events)-1])
	play(t, NewMetrics(q.open), events[:len(events)-1])
	if !strings.Contains(p.String(), "no outcome was recorded") || strings.Contains(p.String(), "banner good") {
		t.Error("the report does not say that there is no outcome")
	}
	if q.opened != 0 {
		t.Errorf("metrics of a run without an outcome: %s", q.String())
	}
}

// An error while opening, writing or closing what is written at the end is told, and an opened file
// is closed in any case.
func TestWriteOnce(t *testing.T) {
	full := errors.New("disk full")
	failedOpen := func() (io.WriteCloser, error) { return nil, full }
	for _, s := range []Sink{NewReport(failedOpen), NewMetrics(failedOpen)} {
		s.Handle(Event{Kind: RunFinished, Outcome: &Outcome{}})
		if err := s.Close(); !errors.Is(err, full) {
			t.Errorf("%T: %v", s, err)
		}
	}
	for _, w := range []*brokenFile{{writing: full}, {closing: full}} {
		err := writeOnce(func() (io.WriteCloser, error) { return w, nil }, []byte("x"), "report")
		if !errors.Is(err, full) || !w.closed {
			t.Errorf("%+v: %v", w, err)
		}
	}
}

type brokenFile struct {
	writing, closing error
	closed           bool
}

func (b *brokenFile) Write(p []byte) (int, error) { return len(p), b.writing }

func (b *brokenFile) Close() error {
	b.closed = true
	return b.closing
}
