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

	"github.com/infrarun/infrarun/runtime/events"
)

// show tells one run in full: its events are told again, as they were when they happened.
func (a *app) show(_ context.Context, args []string) int {
	o := &options{}
	set := o.subcommandFlags("show")
	id, code, ok := a.arguments(set, o, args, "RUN",
		"Tell one run in full. RUN is its name or the beginning of it, as `infrarun runs` lists it.", 1, 1)
	if !ok {
		return code
	}
	state, err := o.state(a.environ)
	if err != nil {
		return a.fail(o, err)
	}
	record, err := state.Find(id[0])
	if err != nil {
		return a.fail(o, err)
	}
	o.verbose = true
	dir := state.RunDir(record.Run.ID)
	sinks, _ := a.sinks(o)
	if err := replay(filepath.Join(dir, "events.jsonl"), sinks); err != nil {
		return a.fail(o, fmt.Errorf("show run %s: %w", record.Run.ID, err))
	}
	return a.print(o, func(w io.Writer) error {
		if !o.json() {
			fmt.Fprintf(w, "\nReport: %s\nLog:    %s\n", filepath.Join(dir, "report.html"), filepath.Join(dir, "deploy.log"))
		}
		return nil
	})
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
