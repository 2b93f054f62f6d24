// Package log is the family of builtins by which a recipe tells the operator something.
//
//	log.debug(message)   for whoever looks into the log of the run; shown with --verbose
//	log.info(message)    what is going on
//	log.warn(message)    something that the operator should look at
//	log.error(message)   something that is wrong although the run goes on
//
// A message goes the way of all events, so secrets are taken out of it and every sink shows it.
package log

import (
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "log",
		Doc:  "Messages to the operator, on the screen and in the log of the run. To end a run, use fail(…).",
		Builtins: []*runtime.Builtin{
			level("debug", "Notes something for whoever looks into the log of the run; the screen shows it with --verbose."),
			level("info", "Tells what is going on."),
			level("warn", "Tells something that the operator should look at."),
			level("error", "Tells that something is wrong although the run goes on; fail(…) ends it."),
		},
	}
}

type args struct {
	Message starlark.Value `arg:"message" doc:"the text; other values are shown as Starlark writes them"`
}

// level declares the builtin of one level.
func level(name, doc string) *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "log." + name, Doc: doc, Example: `log.` + name + `("3 of 5 services answer")`,
	}, func(c *runtime.Call, a args) (starlark.Value, error) {
		text, ok := starlark.AsString(a.Message)
		if !ok {
			text = a.Message.String()
		}
		c.Emit(events.Event{Kind: events.Log, Level: name, Text: text, Position: c.Position()})
		return nil, nil
	})
}
