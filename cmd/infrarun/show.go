package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// show tells one run in full: its events are told again, as they were when they happened.
func (a *app) show(_ context.Context, args []string) int {
	o := &options{}
	set := newFlags("show", o)
	id, code, ok := a.subcommand(set, o, args, "RUN",
		"Tell one run in full. RUN is its name or the beginning of it, as `infrarun runs` lists it.", 1, 1)
	if !ok {
		return code
	}
	state, err := o.state(a.environ)
	if err != nil {
		return a.errorf("%v", err)
	}
	record, err := state.Find(id[0])
	if err != nil {
		return a.errorf("%v", err)
	}
	o.verbose = !o.quiet
	sinks, _ := a.sinks(o)
	dir := state.RunDir(record.Run.ID)
	if err := replay(filepath.Join(dir, "events.jsonl"), sinks); err != nil {
		return a.errorf("show run %s: %v", record.Run.ID, err)
	}
	if o.output.value == "text" {
		fmt.Fprintf(a.stdout, "\nReport: %s\nLog:    %s\n", filepath.Join(dir, "report.html"), filepath.Join(dir, "deploy.log"))
	}
	return runtime.ExitDone
}

// replay hands the events in a file to the sinks. A torn last line, as a killed run leaves it, ends
// it.
func replay(name string, sinks []events.Sink) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		var e events.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, s := range sinks {
			s.Handle(e)
		}
	}
	var errs []error
	for _, s := range sinks {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
