package engine

import (
	"bytes"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/pkg/stdcopy"

	"github.com/infrarun/infrarun/builtins/internal/lines"
)

// execEngine is an engine in which a command prints something, closes its output, and has ended, with status 7, only when
// it was asked about so often.
func execEngine(t *testing.T, printed string, ends int64) {
	var frames bytes.Buffer
	_, _ = stdcopy.NewStdWriter(&frames, stdcopy.Stdout).Write([]byte(printed))
	var asked atomic.Int64
	fakeEngine(t, map[string]http.HandlerFunc{
		"POST /containers/c/exec": says(`{"Id":"x"}`),
		"POST /exec/x/start":      hijacked(t, frames.Bytes()),
		"GET /exec/x/json": func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) < ends {
				says(`{"ID":"x","Running":true,"ExitCode":null}`)(w, r)
				return
			}
			says(`{"ID":"x","Running":false,"ExitCode":7}`)(w, r)
		},
	})
}

// A command that has closed its output goes on: it has not ended with status 0.
func TestExecWaitsForTheEnd(t *testing.T) {
	execEngine(t, "said\n", 3)
	ended, err := openFake(t).Exec(t.Context(), "c", Command{Argv: []string{"work"}})
	if want := (Ended{Code: 7, Stdout: "said\n"}); err != nil || ended != want {
		t.Errorf("Exec = %+v, %v, want %+v", ended, err, want)
	}
	execEngine(t, "", 1<<40)
	_, err = openFake(t).Exec(t.Context(), "c", Command{Argv: []string{"work"}, Timeout: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "takes longer than 1ms") {
		t.Errorf("one that does not end gives %v", err)
	}
}

// Whoever parses what a command prints is not given a part for the whole, and no line grows without bound.
func TestExecOutputIsBounded(t *testing.T) {
	printed := "secret " + strings.Repeat("word ", lines.MaxText/5)
	execEngine(t, printed, 1)
	shown, longest := 0, 0
	ended, err := openFake(t).Exec(t.Context(), "c", Command{Argv: []string{"print"}, Line: func(_, line string) {
		shown, longest = shown+len(line), max(longest, len(line))
		if !strings.HasSuffix(line, " ") {
			t.Errorf("a line ends in the middle of a word: %q", line[max(0, len(line)-20):])
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(ended.Stdout) <= lines.MaxText || !strings.Contains(ended.Stdout[lines.MaxText:], "cut here by infrarun") {
		t.Errorf("%d bytes are kept, without a word that there were %d", len(ended.Stdout), len(printed))
	}
	if shown != len(printed) || longest > 64<<10 {
		t.Errorf("%d bytes were shown, want all %d; the longest line has %d", shown, len(printed), longest)
	}
}
