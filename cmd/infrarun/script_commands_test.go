package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/runtime/events"
)

// scriptCommands are:
//
//	exits CODE COMMAND…   run a command, which must end with this exit code, or with "killed"
//	events                check that stdout of the last exits is the JSON events of a run
//	masked FILE           print a file without what differs from time to time
//	tree DIR              print what is in a directory: modes, contents, links
//	newest NAME           set the variable NAME to the newest run
//	hold FILE             lock a file until the script ends
//	tmpfs DIR SIZE        mount a small file system
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":  exits,
	"events": checkEvents,
	"masked": masked,
	"tree":   tree,
	"newest": newest,
	"hold":   hold,
	"tmpfs":  tmpfs,
}

// demand fails a script that uses one of the commands wrongly.
func demand(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// lastCode is the variable that holds the exit code of the last command.
const lastCode = "LAST_EXIT_CODE"

func exits(ts *testscript.TestScript, neg bool, args []string) {
	demand(ts, len(args) > 1 && !neg, "exits CODE COMMAND…")
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.Sys().(interface{ Signaled() bool }).Signaled():
		got = "killed"
	case errors.As(err, &exit):
		got = strconv.Itoa(exit.ExitCode())
	default:
		ts.Check(err)
	}
	ts.Setenv(lastCode, got)
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// checkEvents holds the promise of EVENTS.md: every line is an event, they are numbered without gaps,
// and the last one is the outcome, with the exit code of the process.
func checkEvents(ts *testscript.TestScript, neg bool, args []string) {
	demand(ts, len(args) == 0 && !neg, "events")
	var last events.Event
	seq := uint64(0)
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		seq++
		dec := json.NewDecoder(strings.NewReader(line))
		dec.DisallowUnknownFields()
		last = events.Event{}
		if err := dec.Decode(&last); err != nil {
			ts.Fatalf("line %d is no event: %v\n%s", seq, err, line)
		}
		if last.Seq != seq || last.Time.IsZero() || last.Kind == "" {
			ts.Fatalf("line %d lacks its number, time or name:\n%s", seq, line)
		}
		if last.Kind == events.RunStarted && seq != 1 {
			ts.Fatalf("line %d is a second beginning", seq)
		}
	}
	if last.Kind != events.RunFinished || last.Outcome == nil {
		ts.Fatalf("the last of %d events is %q, want run.finished", seq, last.Kind)
	}
	if code := strconv.Itoa(last.Outcome.ExitCode); code != ts.Getenv(lastCode) {
		ts.Fatalf("the outcome says exit code %s, the process says %s", code, ts.Getenv(lastCode))
	}
	switch o := last.Outcome; o.Result {
	case events.Succeeded, events.Restored, events.NoChange, events.WouldChange:
		if o.Error != "" {
			ts.Fatalf("the result is %s, and yet there is an error: %s", o.Result, o.Error)
		}
	default:
		if o.Error == "" && len(o.Left) == 0 {
			ts.Fatalf("the result is %s, and nothing says why", o.Result)
		}
	}
}

// masks are what differs from time to time, and what stands for it.
var masks = []struct {
	of *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`\b20\d{6}-\d{6}-\d{3}\b`), "RUN"},
	{regexp.MustCompile(`\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\b`), "DATE"},
	{regexp.MustCompile(`\b\d+(\.\d+)? m?s\b`), "TIME"},
	{regexp.MustCompile(`\bprocess \d+\b`), "process PID"},
}

func masked(ts *testscript.TestScript, neg bool, args []string) {
	demand(ts, len(args) == 1 && !neg, "masked FILE")
	text := strings.ReplaceAll(ts.ReadFile(args[0]), ts.Getenv("WORK"), "$WORK")
	for _, m := range masks {
		text = m.of.ReplaceAllString(text, m.by)
	}
	fmt.Fprint(ts.Stdout(), text)
}

func tree(ts *testscript.TestScript, neg bool, args []string) {
	demand(ts, len(args) == 1 && !neg, "tree DIR")
	root := ts.MkAbs(args[0])
	var b bytes.Buffer
	ts.Check(filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		what := ""
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			what, err = os.Readlink(name)
		case d.Type().IsRegular():
			var data []byte
			data, err = os.ReadFile(name)
			what = fmt.Sprintf("%x", sha256.Sum256(data))
		}
		fmt.Fprintf(&b, "%s %s %s\n", rel, info.Mode(), what)
		return err
	}))
	_, err := b.WriteTo(ts.Stdout())
	ts.Check(err)
}

func newest(ts *testscript.TestScript, neg bool, args []string) {
	demand(ts, len(args) == 1 && !neg, "newest NAME")
	entries, err := os.ReadDir(filepath.Join(ts.Getenv("INFRARUN_STATE_DIR"), "runs"))
	ts.Check(err)
	if len(entries) == 0 {
		ts.Fatalf("there is no run")
	}
	ts.Setenv(args[0], entries[len(entries)-1].Name())
}

func hold(ts *testscript.TestScript, neg bool, args []string) {
	demand(ts, len(args) == 1 && !neg, "hold FILE")
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { f.Close() })
	ts.Check(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB))
}

func tmpfs(ts *testscript.TestScript, neg bool, args []string) {
	demand(ts, len(args) == 2 && !neg, "tmpfs DIR SIZE")
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(mountTmpfs(dir, args[1]))
	ts.Defer(func() { unix.Unmount(dir, unix.MNT_DETACH) })
}
