package runtime

import (
	"context"

	"github.com/infrarun/infrarun/runtime/redact"
)

// UI is whom a recipe may ask.
type UI interface {
	// Confirm asks a yes-or-no question. Where nobody can answer and --yes was not given, it fails.
	Confirm(ctx context.Context, question string, byDefault bool) (bool, error)
	// Prompt asks for a line of text; secret ones are not shown while typed.
	Prompt(ctx context.Context, question, byDefault string, secret bool) (string, error)
	// Yes reports whether every yes-or-no question is answered yes without being asked: a preview asks nothing, and
	// must assume what the run will hear.
	Yes() bool
}

// discreetUI shows no secrets: what is asked does not pass the bus.
type discreetUI struct {
	ui      UI
	secrets *redact.Set
}

// Confirm implements [UI].
func (d discreetUI) Confirm(ctx context.Context, question string, byDefault bool) (bool, error) {
	return d.ui.Confirm(ctx, d.secrets.String(question), byDefault)
}

// Yes implements [UI].
func (d discreetUI) Yes() bool { return d.ui.Yes() }

// Prompt implements [UI].
func (d discreetUI) Prompt(ctx context.Context, question, byDefault string, secret bool) (string, error) {
	shown := d.secrets.String(byDefault)
	answer, err := d.ui.Prompt(ctx, d.secrets.String(question), shown, secret)
	if answer == shown {
		return byDefault, err
	}
	return answer, err
}
