package events

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files under testdata anew")

// golden compares got with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update, then look at the diff); got:\n%s", path, got)
	}
}

// play feeds a stream to a sink and closes it.
func play(t *testing.T, s Sink, events []Event) {
	t.Helper()
	for _, e := range events {
		s.Handle(e)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// page is a file in memory: what NewReport and NewMetrics open.
type page struct {
	bytes.Buffer
	opened, closed int
}

func (p *page) open() (io.WriteCloser, error) {
	p.opened++
	return p, nil
}

func (p *page) Close() error {
	p.closed++
	return nil
}

// plainTerminal is what a terminal sink writes where it is not a terminal.
func plainTerminal(t *testing.T, events []Event, verbosity int) string {
	t.Helper()
	var out bytes.Buffer
	play(t, NewTerminal(TerminalOptions{Out: &out, Verbosity: verbosity}), events)
	return out.String()
}

// TestText pins down what a person reads of every stream: on the terminal, with --verbose, with
// --quiet, and in deploy.log.
func TestText(t *testing.T) {
	for _, s := range streams() {
		t.Run(s.name, func(t *testing.T) {
			var log bytes.Buffer
			play(t, NewLog(&log), s.events)
			golden(t, s.name+".txt", "==== terminal\n"+plainTerminal(t, s.events, 0)+
				"==== verbose\n"+plainTerminal(t, s.events, 1)+
				"==== quiet\n"+plainTerminal(t, s.events, -1)+
				"==== log\n"+log.String())
		})
	}
}

func TestReportPage(t *testing.T) {
	for _, s := range []stream{successStream(), wouldChangeStream(), incompleteStream()} {
		t.Run(s.name, func(t *testing.T) {
			var p page
			play(t, NewReport(p.open), s.events)
			golden(t, s.name+".html", p.String())
		})
	}
}

func TestMetricsText(t *testing.T) {
	var p page
	play(t, NewMetrics(p.open), successStream().events)
	golden(t, "success.prom", p.String())
}
