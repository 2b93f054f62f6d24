package events

import (
	"slices"
	"testing"
	"time"
)

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                          "0 ms",
		400 * time.Microsecond:     "0 ms",
		3 * time.Millisecond:       "3 ms",
		99 * time.Millisecond:      "99 ms",
		100 * time.Millisecond:     "0.1 s",
		400 * time.Millisecond:     "0.4 s",
		9949 * time.Millisecond:    "9.9 s",
		9960 * time.Millisecond:    "10 s",
		59499 * time.Millisecond:   "59 s",
		59600 * time.Millisecond:   "1m 00s",
		72 * time.Second:           "1m 12s",
		3599600 * time.Millisecond: "1h 00m",
		2*time.Hour + 5*time.Minute + 59*time.Second: "2h 05m",
		-2 * time.Second: "-2.0 s",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 214: "214 B", 1023: "1023 B", 1024: "1.0 KiB", 3355443: "3.2 MiB",
		1<<20 - 1: "1.0 MiB", 1 << 30: "1.0 GiB", 1<<63 - 1: "8.0 EiB", -2048: "-2.0 KiB",
	} {
		if got := FormatBytes(n); got != want {
			t.Errorf("FormatBytes(%d) = %q, want %q", n, got, want)
		}
	}
}

// A score below its threshold must not read as if it had reached it.
func TestFormatPercent(t *testing.T) {
	for p, want := range map[float64]string{75: "75 %", 74.96: "74.9 %", 87.5: "87.5 %", 100: "100 %", 0: "0 %", 62.3: "62.3 %"} {
		if got := formatPercent(p); got != want {
			t.Errorf("formatPercent(%v) = %q, want %q", p, got, want)
		}
	}
}

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		bar  Bar
		want string
	}{
		{Bar{Current: 3 << 20, Total: 12 << 20, Unit: "bytes"}, "3.0 MiB of 12.0 MiB"},
		{Bar{Current: 7, Total: 9, Unit: "files"}, "7 of 9 files"},
		{Bar{Current: 7, Unit: "files"}, "7 files"},
		{Bar{Current: 7}, "7"},
	} {
		if got := amount(c.bar); got != c.want {
			t.Errorf("amount(%+v) = %q, want %q", c.bar, got, c.want)
		}
	}
}

func TestTableLines(t *testing.T) {
	row := []string{"状态", "a\tb\nc", ""}
	got := tableLines(Table{Columns: []string{"k", "v"}, Rows: [][]string{row, {"long name"}}}, func(s string) string { return "<" + s + ">" })
	want := []string{"<k          v>", `状态       a b\nc`, "long name"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if row[1] != "a\tb\nc" {
		t.Error("the caller's table was changed")
	}
}

func TestTruncated(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{{"short", 5, "short"}, {"longer", 5, "long…"}, {"運行中", 5, "運行…"}, {"運行中", 4, "運…"}, {"x", 0, ""}} {
		if got := truncated(c.in, c.w); got != c.want {
			t.Errorf("truncated(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
		}
	}
}

func TestSentenceOfEveryResult(t *testing.T) {
	left := []Left{{}, {}}
	for _, c := range []struct {
		mode Mode
		o    Outcome
		want string
	}{
		{ModeRun, Outcome{Result: Succeeded, Changes: 12, Unchanged: 3}, "Done. 12 changes, 3 unchanged."},
		{ModeRun, Outcome{Result: Succeeded, Unchanged: 3}, "Done. Nothing had to be changed, 3 unchanged."},
		{ModeRollback, Outcome{Result: Restored, Undone: 12}, "Rolled back: 12 changes undone."},
		{ModeRollback, Outcome{Result: Restored}, "Rolled back: no change was left that can be undone."},
		{ModePreview, Outcome{Result: WouldChange, Changes: 12, Unchanged: 3, Assumed: 2}, "12 changes, 3 unchanged, 2 assumed. Nothing was changed."},
		{ModePreview, Outcome{Result: NoChange, Unchanged: 3}, "No change to make, 3 unchanged, 0 assumed. Nothing was changed."},
		{ModeRun, Outcome{Result: Refused, Step: "preflight"}, `Failed in step "preflight" before any change. Nothing was changed.`},
		{ModeRollback, Outcome{Result: Refused}, "Rollback refused. Nothing was changed."},
		{ModeRun, Outcome{Result: DeniedRun}, "Refused by policy. Nothing was changed."},
		{ModeRun, Outcome{Result: DeniedRun, Changes: 1, Undone: 1}, "Refused by policy. Everything was put back: 1 change undone."},
		{ModeRun, Outcome{Result: RolledBack, Step: "health", Changes: 12, Undone: 12}, `Failed in step "health". Everything was put back: 12 changes undone.`},
		{ModeRun, Outcome{Result: RolledBack, Changes: 12, Undone: 11}, "Failed. What can be undone was put back: 11 of 12 changes."},
		{ModeRun, Outcome{Result: Incomplete, Left: left}, "Failed, and the rollback is incomplete: 2 changes could not be put back."},
		{ModeRollback, Outcome{Result: Incomplete}, "Rollback incomplete: something could not be put back."},
		{ModeRun, Outcome{Result: Interrupted}, "Interrupted. Nothing was changed."},
		{ModeRun, Outcome{Result: Locked}, "Not started: another run holds the lock, or an interrupted run must be rolled back first. Nothing was changed."},
		{ModeLook, Outcome{Result: Succeeded, Unchanged: 3}, "Done."},
		{ModeLook, Outcome{Result: Refused, Step: "Ask"}, `Failed in step "Ask".`},
		{ModeLook, Outcome{Result: DeniedRun}, "Refused by policy."},
		{"", Outcome{Mode: ModeLook, Result: Interrupted}, "Interrupted."},
		{ModeRun, Outcome{Result: "odd"}, `Ended with the unknown result "odd".`},
	} {
		if got := Sentence(c.mode, c.o); got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.mode, c.o.Result, got, c.want)
		}
	}
}

func TestSign(t *testing.T) {
	for summary, want := range map[string]string{
		"create, 214 bytes": "+", "remove, 3 files": "-", "restart": "~", "": "~", "Install: nginx": "+", "created once": "~",
	} {
		if got := sign(Change{Summary: summary, Status: Would}); got != want {
			t.Errorf("sign of %q = %q, want %q", summary, got, want)
		}
	}
	if sign(Change{Summary: "create", Status: Unchanged}) != "=" || sign(Change{Summary: "create", Status: Denied}) != "✗" {
		t.Error("the status does not go before the summary")
	}
}

// Of commands that run side by side only the failing one's lines count, and only the last ones.
func TestTails(t *testing.T) {
	var all tails
	build := Change{Call: "exec.run", Target: "go build"}
	all.add("go build", "of an earlier attempt")
	all.forget(build)
	for range 100 {
		all.add("go build", "early")
	}
	for range tailLength {
		all.add("go build", "late")
		all.add("npm ci", "noise")
	}
	source, lines := all.of(build)
	if source != "go build" || !slices.Equal(lines, slices.Repeat([]string{"late"}, tailLength)) {
		t.Errorf("got %q %q", source, lines)
	}
	if source, _ := all.of(Change{Call: "fs.write", Target: "/x"}); source != "npm ci" {
		t.Errorf("a change without output of its own shows %q, want what was printed last", source)
	}
	all.forget(build)
	if _, lines := all.of(build); len(lines) != 0 {
		t.Errorf("forgotten lines came back: %q", lines)
	}
}
