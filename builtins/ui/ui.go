// Package ui is the family of builtins that talk with the person who runs the recipe.
//
//	ui.confirm(question, default = True)                  a yes or no
//	ui.prompt(question, default = "", secret = False)     a line of text
//	ui.table(title = "", columns = [], rows = [])         shows facts
//	ui.progress(what, current, total = 0, unit = "")      shows how far a long work has come
//
// Who is asked, and what happens where nobody can answer, is the command line's business ([runtime.UI]). A preview asks
// nothing: it assumes the defaults, and yes where --yes was given, and says so.
package ui

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "ui",
		Doc: "Talking with the operator. A preview asks nothing and assumes the defaults, and with --yes that the answer is yes. Where nobody can answer, because " +
			"there is no terminal or NON_INTERACTIVE is true, questions are errors unless --yes was given.",
		Builtins: []*runtime.Builtin{confirmBuiltin, promptBuiltin, tableBuiltin, progressBuiltin},
	}
}

// asker returns whom to ask. A rollback has nobody.
func asker(c *runtime.Call) (runtime.UI, error) {
	if who := c.UI(); who != nil {
		return who, nil
	}
	return nil, errors.New("nobody can be asked here")
}

type confirmArgs struct {
	Question string `arg:"question" doc:"the question, without (y/n)"`
	Default  bool   `arg:"default" default:"true" doc:"the answer if only enter is pressed, and in a preview without --yes"`
}

var confirmBuiltin = runtime.Define(runtime.Builtin{
	Name: "ui.confirm", Returns: "bool", Doc: "Asks a question that is answered by yes or no.",
	Example: `if not ui.confirm("Deploy to %s?" % ctx.params.env):` + "\n    fail(\"not confirmed\")",
}, func(c *runtime.Call, a confirmArgs) (starlark.Value, error) {
	if c.Preview() {
		answer := a.Default || c.UI() != nil && c.UI().Yes()
		c.Assume("%q is answered %s", a.Question, yesNo(answer))
		return starlark.Bool(answer), nil
	}
	who, err := asker(c)
	if err != nil {
		return nil, err
	}
	answer, err := who.Confirm(c.Context(), a.Question, a.Default)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", a.Question, err)
	}
	c.Emit(events.Event{Kind: events.Question, Text: a.Question, Answer: yesNo(answer), Position: c.Position()})
	return starlark.Bool(answer), nil
})

func yesNo(answer bool) string {
	if answer {
		return "yes"
	}
	return "no"
}

type promptArgs struct {
	Question string `arg:"question" doc:"what is asked for"`
	Default  string `arg:"default" default:"" doc:"the answer if only enter is pressed, and in a preview"`
	Secret   bool   `arg:"secret" default:"false" doc:"do not show what is typed, and keep it out of everything that is written"`
}

var promptBuiltin = runtime.Define(runtime.Builtin{
	Name: "ui.prompt", Returns: "string",
	Doc:     "Asks for a line of text. A secret must have at least 6 bytes, or be empty.",
	Example: `password = ui.prompt("Password of the registry", secret = True)`,
}, func(c *runtime.Call, a promptArgs) (starlark.Value, error) {
	if c.Preview() {
		if err := keep(c, a, a.Default); err != nil {
			return nil, err
		}
		c.Assume("%q is answered %q", a.Question, a.Default)
		return starlark.String(a.Default), nil
	}
	who, err := asker(c)
	if err != nil {
		return nil, err
	}
	answer, err := who.Prompt(c.Context(), a.Question, a.Default, a.Secret)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", a.Question, err)
	}
	if err := keep(c, a, answer); err != nil {
		return nil, err
	}
	c.Emit(events.Event{Kind: events.Question, Text: a.Question, Answer: answer, Position: c.Position()})
	return starlark.String(answer), nil
})

// keep makes the answer to a secret question a secret, before anybody else sees it.
func keep(c *runtime.Call, a promptArgs, answer string) error {
	if !a.Secret || answer == "" {
		return nil
	}
	if err := c.AddSecret(answer); err != nil {
		return fmt.Errorf("%q: %w", a.Question, err)
	}
	return nil
}
