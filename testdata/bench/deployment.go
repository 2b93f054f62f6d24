package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
)

// deployment measures previewing, deploying and rolling back the bundled stack, without its front end.
func (b *bench) deployment() ([]row, error) {
	repo := filepath.Join(b.dir, "repo")
	script := `set -eu
mkdir "$1" && (cd testdata/infracore && git ls-files -z --cached --others --exclude-standard | tar cf - --null -T -) | tar xf - -C "$1"
cd "$1" && git init --quiet && git add --all &&
git -c user.name=bench -c user.email=bench@localhost -c commit.gpgsign=false commit --quiet -m stack`
	if _, err := b.time([]int{0}, "sh", "-c", script, "sh", repo); err != nil {
		return nil, err
	}
	b.prefix = filepath.Join(b.dir, "root")
	argv := []string{b.infrarun, "recipes/deploy.star", "--env=development", "--prefix=" + b.prefix, "--repo=" + repo,
		"--no-ui", "--stable=0", "--yes", "--output=json"}
	for _, name := range []string{"http", "https", "console", "orch", "probe", "snap"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		argv = append(argv, fmt.Sprintf("--%s-port=%d", name, l.Addr().(*net.TCPAddr).Port))
		l.Close()
	}
	preview, err := b.median(9, []int{2}, nil, append(argv, "--dry-run")...)
	if err != nil {
		return nil, err
	}
	deploy, err := b.time([]int{0}, argv...)
	if err != nil {
		return nil, err
	}
	all, err := read(deploy.out)
	if err != nil {
		return nil, err
	}
	again, err := b.median(9, []int{0}, nil, append(argv, "--dry-run")...)
	if err != nil {
		return nil, err
	}
	back, err := b.time([]int{0}, b.infrarun, "rollback", "--output=json")
	if err != nil {
		return nil, err
	}
	undone, err := read(back.out)
	if err != nil {
		return nil, err
	}
	stopping := undoing(undone, "process.start")
	waiting := busy(all)
	mb := func(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
	return []row{
		{"preview of a full deployment", ms(preview.wall) + ", " + mb(preview.rss), "100 ms, 60 MB", "a shell script has none"},
		{"preview of it when it is deployed", ms(again.wall) + ", " + mb(again.rss), "100 ms, 60 MB", "a shell script has none"},
		{"a deployment", ms(deploy.wall) + ", " + mb(deploy.rss), "", "its commands and waits: " + ms(waiting)},
		{"its own time", ms(deploy.wall - waiting), "500 ms", "a shell script: about 0"},
		{"rollback of the whole deployment", ms(back.wall), "", "by hand: minutes"},
		{"apart from stopping services", ms(back.wall - stopping), "1000 ms", ""},
	}, nil
}

// stop ends the services of the deployment, should it be there still.
func (b *bench) stop() {
	scripts, _ := filepath.Glob(filepath.Join(b.prefix, "opt/infra-core/services/*.sh"))
	for _, script := range scripts {
		exec.Command(script, "stop").Run()
	}
}

func read(data []byte) ([]events.Event, error) {
	var all []events.Event
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		var e events.Event
		err := dec.Decode(&e)
		if errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
}

// busy is how long at least one command was running, or the stack was being waited for.
func busy(all []events.Event) time.Duration {
	type span struct{ from, to time.Time }
	var spans []span
	started := map[uint64]time.Time{}
	for _, e := range all {
		switch {
		case e.Kind == events.ChangeStarted:
			started[e.Change.ID] = e.Time
		case e.Kind == events.ChangeFinished && (e.Change.Call == "exec.run" || e.Change.Call == "process.start"):
			// The event may come late: branches report in order. Its duration is right.
			if from, ok := started[e.Change.ID]; ok {
				spans = append(spans, span{from, from.Add(e.Duration)})
			}
		case e.Kind == events.StepFinished && e.Step.Name == "ready":
			spans = append(spans, span{e.Time.Add(-e.Duration), e.Time})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	var total time.Duration
	var until time.Time
	for _, s := range spans {
		if s.from.After(until) {
			until = s.from
		}
		if s.to.After(until) {
			total += s.to.Sub(until)
			until = s.to
		}
	}
	return total
}

// undoing is how long the undo of one builtin's changes took.
func undoing(all []events.Event, call string) time.Duration {
	var total time.Duration
	for _, e := range all {
		if e.Kind == events.Undone && e.Change.Call == call {
			total += e.Duration
		}
	}
	return total
}
