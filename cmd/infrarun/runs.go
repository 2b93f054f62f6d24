package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// runs lists the runs there were, newest first.
func (a *app) runs(_ context.Context, args []string) int {
	o := &options{}
	set := o.subcommandFlags("runs")
	if _, code, ok := a.arguments(set, o, args, "", "List the runs there were, newest first.", 0, 0); !ok {
		return code
	}
	state, err := o.state(a.environ)
	if err != nil {
		return a.fail(o, err)
	}
	records, err := state.Runs()
	if err != nil {
		return a.fail(o, err)
	}
	return a.print(o, func(w io.Writer) error {
		if o.json() {
			return eachAsJSON(w, records)
		}
		if len(records) == 0 {
			_, err := fmt.Fprintf(w, "There were no runs yet (in %s).\n", state.Dir())
			return err
		}
		return runTable(w, records)
	})
}

func eachAsJSON(w io.Writer, records []runtime.Record) error {
	enc := json.NewEncoder(w)
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func runTable(w io.Writer, records []runtime.Record) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RUN\tRECIPE\tSTARTED\tTOOK\tRESULT")
	for _, r := range records {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.Run.ID, events.SanitizeLine(r.Run.Recipe),
			r.Started.Local().Format(time.DateTime), took(r), resultOf(r))
	}
	return t.Flush()
}

func took(r runtime.Record) string {
	if r.Outcome == nil || r.Outcome.Duration == 0 {
		return "-"
	}
	return events.FormatDuration(r.Outcome.Duration)
}

// resultOf says in a few words what became of a run.
func resultOf(r runtime.Record) string {
	words := map[events.Result]string{
		events.DeniedRun:  "refused by policy",
		events.RolledBack: "failed, rolled back",
		events.Incomplete: "failed, rollback incomplete",
		events.Restored:   "rolled back",
	}
	say := func(result events.Result) string {
		if text, ok := words[result]; ok {
			return text
		}
		return string(result)
	}
	switch {
	case r.Outcome == nil:
		return "running, or killed"
	case r.Rollback != nil && r.Rollback.Result == events.Incomplete:
		return say(r.Outcome.Result) + ", then rollback incomplete"
	case r.Rollback != nil:
		return say(r.Outcome.Result) + ", then " + say(r.Rollback.Result)
	}
	return say(r.Outcome.Result)
}
