package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// told is what somebody learns about the end of a run from one sink.
type told struct {
	exit     int
	sentence string // "" where a sink has no sentence
	result   Result // "" where it has no word
}

// Every sink tells the same end of every stream: exit code, sentence and result, whatever it is that
// it shows. The sentences of different results differ, so that none can pass for another.
func TestSinksAgree(t *testing.T) {
	sentences := map[string]Result{}
	results := map[Result]bool{}
	for _, s := range streams() {
		o, mode := s.outcome(), s.events[0].Run.Mode
		want := told{o.ExitCode, Sentence(mode, o), o.Result}
		if other, taken := sentences[want.sentence]; taken && other != o.Result {
			t.Errorf("%s and %s end with the same sentence", other, o.Result)
		}
		sentences[want.sentence], results[o.Result] = o.Result, true
		for name, got := range tellings(t, s) {
			if got.exit != want.exit {
				t.Errorf("%s: %s tells exit %d, want %d", s.name, name, got.exit, want.exit)
			}
			if got.sentence != "" && got.sentence != want.sentence {
				t.Errorf("%s: %s tells %q, want %q", s.name, name, got.sentence, want.sentence)
			}
			if got.result != "" && got.result != want.result {
				t.Errorf("%s: %s tells %q, want %q", s.name, name, got.result, want.result)
			}
		}
	}
	for _, r := range []Result{Succeeded, WouldChange, NoChange, Refused, DeniedRun, RolledBack, Incomplete, Interrupted, Locked} {
		if !results[r] {
			t.Errorf("no stream ends as %q", r)
		}
	}
}

// tellings feeds a stream to every sink and reads the end from what each wrote, as a person or a
// program would.
func tellings(t *testing.T, s stream) map[string]told {
	t.Helper()
	all := map[string]told{"log": fromLog(t, s), "json": fromJSON(t, s), "report": fromReport(t, s), "metrics": fromMetrics(t, s)}
	for _, verbosity := range []int{-1, 0, 1} {
		all[fmt.Sprint("terminal ", verbosity)] = fromTerminal(t, plainTerminal(t, s.events, verbosity))
		v := newVT(t, 200)
		play(t, NewTerminal(TerminalOptions{Out: v, Live: true, Color: true, Verbosity: verbosity}), s.events)
		all[fmt.Sprint("live terminal ", verbosity)] = fromTerminal(t, v.text())
	}
	return all
}

// only returns the groups of the pattern's only match.
func only(t *testing.T, pattern, text string) []string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1)
	if len(found) != 1 {
		t.Fatalf("%d matches of %q, want 1, in\n%s", len(found), pattern, text)
	}
	return found[0]
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func fromTerminal(t *testing.T, text string) told {
	t.Helper()
	m := only(t, `(?m)^(.*) \([^()]*, exit (\d+)\)$`, text)
	return told{exit: number(t, m[2]), sentence: m[1]}
}

func fromLog(t *testing.T, s stream) told {
	t.Helper()
	var out bytes.Buffer
	play(t, NewLog(&out), s.events)
	m := only(t, `(?m) run\.finished result=(\S+) exit=(\d+) .*? left=\d+: (.*) \([^()]*, exit (\d+)\)$`, out.String())
	if m[2] != m[4] {
		t.Errorf("the log tells exit %s and exit %s", m[2], m[4])
	}
	return told{number(t, m[2]), m[3], Result(m[1])}
}

func fromJSON(t *testing.T, s stream) told {
	t.Helper()
	var out bytes.Buffer
	play(t, NewJSON(&out), s.events)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var last struct {
		Event   string
		Outcome struct {
			Result   Result
			ExitCode int `json:"exit_code"`
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Event != "run.finished" {
		t.Fatalf("last line %s: %v", lines[len(lines)-1], err)
	}
	return told{exit: last.Outcome.ExitCode, result: last.Outcome.Result}
}

func fromReport(t *testing.T, s stream) told {
	t.Helper()
	var p page
	play(t, NewReport(p.open), s.events)
	body := only(t, `<body data-result="([^"]*)" data-exit="(\d+)">`, p.String())
	banner := only(t, `(?s)id="outcome">\s*<strong>(.*?)</strong> <span class="dim">\([^()]*, exit (\d+)\)`, p.String())
	if body[2] != banner[2] {
		t.Errorf("the report tells exit %s and exit %s", body[2], banner[2])
	}
	if coloured := strings.Contains(p.String(), `class="banner good"`); coloured != good(Result(body[1])) {
		t.Errorf("%s is coloured as good: %v", body[1], coloured)
	}
	return told{number(t, body[2]), html.UnescapeString(banner[1]), Result(body[1])}
}

func fromMetrics(t *testing.T, s stream) told {
	t.Helper()
	var p page
	play(t, NewMetrics(p.open), s.events)
	values, err := exposition(p.String())
	if err != nil {
		t.Fatalf("%v in\n%s", err, p.String())
	}
	exit := -1
	for key, value := range values {
		switch {
		case strings.HasPrefix(key, "infrarun_run_exit_code{"):
			exit = int(value)
		case strings.HasPrefix(key, "infrarun_run_success{"):
			if (value == 1) != good(s.outcome().Result) {
				t.Errorf("metrics of %s tell success %v", s.name, value)
			}
		}
	}
	return told{exit: exit}
}
