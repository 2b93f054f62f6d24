package ui

import (
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

type tableArgs struct {
	Title   string          `arg:"title" default:"" doc:"what the facts are about"`
	Columns runtime.Strings `arg:"columns" default:"" doc:"the heads of the columns; empty: none"`
	Rows    *starlark.List  `arg:"rows" default:"" doc:"lists or tuples of values, one a column"`
}

var tableBuiltin = runtime.Define(runtime.Builtin{
	Name: "ui.table", Doc: "Shows a table of facts, such as the plan or the addresses of what was deployed.",
	Example: `ui.table("Services", ["name", "port"], [[s.name, s.port] for s in services])`,
}, func(c *runtime.Call, a tableArgs) (starlark.Value, error) {
	table := &events.Table{Title: a.Title, Columns: a.Columns}
	if a.Rows != nil {
		for v := range starlark.Elements(a.Rows) {
			row, err := cells(v)
			if err != nil {
				return nil, fmt.Errorf("rows[%d] %w", len(table.Rows), err)
			}
			if n := len(a.Columns); n > 0 && len(row) != n {
				return nil, fmt.Errorf("rows[%d] has %d values for %d columns", len(table.Rows), len(row), n)
			}
			table.Rows = append(table.Rows, row)
		}
	}
	c.Emit(events.Event{Kind: events.Facts, Facts: table})
	return nil, nil
})

func cells(v starlark.Value) ([]string, error) {
	row, ok := v.(starlark.Sequence)
	if !ok {
		return nil, fmt.Errorf("is %s, want a list of values", v.Type())
	}
	var texts []string
	for cell := range starlark.Elements(row) {
		text, ok := starlark.AsString(cell)
		if !ok {
			text = cell.String()
		}
		texts = append(texts, text)
	}
	return texts, nil
}

type progressArgs struct {
	What    string `arg:"what" doc:"the work"`
	Current int64  `arg:"current" doc:"how much of it is done"`
	Total   int64  `arg:"total" default:"0" doc:"how much there is to do; 0: not known"`
	Unit    string `arg:"unit" default:"" doc:"what is counted: bytes, files, another plural"`
}

var progressBuiltin = runtime.Define(runtime.Builtin{
	Name: "ui.progress",
	Doc:  "Shows how far a long work has come. When current reaches total the work is shown as done.",
}, func(c *runtime.Call, a progressArgs) (starlark.Value, error) {
	if a.Current < 0 || a.Total < 0 {
		return nil, fmt.Errorf("%d of %d: neither can be negative", a.Current, a.Total)
	}
	c.Emit(events.Event{Kind: events.Progress, Progress: &events.Bar{
		What: a.What, Current: a.Current, Total: a.Total, Unit: a.Unit, Done: a.Total > 0 && a.Current >= a.Total,
	}})
	return nil, nil
})
