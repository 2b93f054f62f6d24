package text

import (
	"context"
	"errors"
	"fmt"
	"text/template"
	"text/template/parse"
)

// A template can loop for ever without writing a byte ({{range 1000000000000}}{{end}}), and nothing in text/template
// can stop it. So calls of two functions are put into the parsed template before it is executed, the way
// html/template puts in its escapers:
//
//   - step, at the start of every loop's body and of every template, counts, and looks whether the run is to stop;
//   - written, at the end of every pipeline whose value is written, does the same and refuses what has no text.
//
// Functions that make texts (functions.go) count what they make as well.
type guard struct {
	ctx   context.Context
	steps int
	made  int // bytes
}

const (
	stepName    = "_step"
	writtenName = "_written"

	maxSteps = 250_000        // far more than a configuration file takes
	maxMade  = 16 * maxOutput // by all functions together
)

// stopError ends a template; its text is the whole message.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }
func (e *stopError) Unwrap() error { return e.err }

var (
	errLong  = &stopError{fmt.Errorf("the result, or a text on the way to it, has more than %d MiB", maxOutput>>20)}
	errSteps = &stopError{fmt.Errorf("the template takes more than %d steps; is there a loop that does not end?", maxSteps)}
)

func (g *guard) step() (string, error) {
	if g.ctx.Err() != nil {
		return "", &stopError{context.Cause(g.ctx)}
	}
	if g.steps++; g.steps > maxSteps {
		return "", errSteps
	}
	return "", nil
}

func (g *guard) written(v any) (any, error) {
	if err := unprintable(v); err != nil {
		return nil, err
	}
	_, err := g.step()
	return v, err
}

// unprintable refuses what text/template would write as "<no value>" or in Go's own way, which is no format of any file.
func unprintable(v any) error {
	switch v.(type) {
	case nil:
		return errors.New("the value is None; use default, or leave the line out with if")
	case map[string]any, []any:
		return errors.New("the value is a list or dict; use range, join or json")
	}
	return nil
}

// spend allows a text of n bytes to be made.
func (g *guard) spend(n int) error {
	if g.made += n; n > maxOutput || g.made > maxMade {
		return errLong
	}
	return nil
}

// insert puts the calls into a template and all that it defines.
func (g *guard) insert(t *template.Template) {
	for _, t := range t.Templates() {
		if t.Tree != nil {
			insertInto(t.Root)
			insertStep(t.Root)
		}
	}
}

// insertInto puts calls into what is nested in a list.
func insertInto(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, n := range list.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 { // else it sets a variable and writes nothing
				n.Pipe.Cmds = append(n.Pipe.Cmds, command(writtenName, n.Pos))
			}
		case *parse.IfNode:
			insertInto(n.List)
			insertInto(n.ElseList)
		case *parse.WithNode:
			insertInto(n.List)
			insertInto(n.ElseList)
		case *parse.RangeNode:
			insertInto(n.List)
			insertInto(n.ElseList)
			insertStep(n.List)
		}
	}
}

// insertStep puts {{_step}} at the start of a list.
func insertStep(list *parse.ListNode) {
	pipe := &parse.PipeNode{NodeType: parse.NodePipe, Pos: list.Pos, Cmds: []*parse.CommandNode{command(stepName, list.Pos)}}
	action := &parse.ActionNode{NodeType: parse.NodeAction, Pos: list.Pos, Pipe: pipe}
	list.Nodes = append([]parse.Node{action}, list.Nodes...)
}

func command(name string, pos parse.Pos) *parse.CommandNode {
	id := parse.NewIdentifier(name).SetPos(pos)
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pos, Args: []parse.Node{id}}
}
