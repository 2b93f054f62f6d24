package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/infrarun/infrarun/runtime"
)

// runs lists the runs there were, newest first.
func (a *app) runs(_ context.Context, args []string) int {
	o := &options{}
	set := newFlags("runs", o)
	if _, code, ok := a.subcommand(set, o, args, "", "List the runs there were, newest first.", 0, 0); !ok {
		return code
	}
	state, err := o.state(a.environ)
	if err != nil {
		return a.errorf("%v", err)
	}
	records, err := state.Runs()
	if err != nil {
		return a.errorf("%v", err)
	}
	if o.output.value == "json" {
		enc := json.NewEncoder(a.stdout)
		for _, r := range records {
			enc.Encode(r)
		}
		return runtime.ExitDone
	}
	if len(records) == 0 {
		fmt.Fprintf(a.stdout, "There were no runs yet (in %s).\n", state.Dir())
		return runtime.ExitDone
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tRECIPE\tSTARTED\tTOOK\tRESULT")
	for _, r := range records {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Run.ID, r.Run.Recipe,
			r.Started.Local().Format(time.DateTime), took(r), resultOf(r))
	}
	w.Flush()
	return runtime.ExitDone
}

func took(r runtime.Record) string {
	if r.Outcome == nil {
		return "-"
	}
	return r.Outcome.Duration.Round(100 * time.Millisecond).String()
}

func resultOf(r runtime.Record) string {
	switch {
	case r.Outcome == nil:
		return "running, or interrupted"
	case r.Rollback != nil:
		return string(r.Outcome.Result) + ", then " + string(r.Rollback.Result)
	}
	return string(r.Outcome.Result)
}
