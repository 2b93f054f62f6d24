package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime/journal"
	"github.com/infrarun/infrarun/runtime/policy"
)

// overlay is what a preview has written.
type overlay struct {
	mu    sync.Mutex
	files map[string]string
}

func overlayOf(w *World) *overlay {
	return Overlay(w, "box", func() *overlay { return &overlay{files: map[string]string{}} })
}

// see reads a file, as far as the preview has predicted it.
func see(r *Reader, path string) (text string, exists bool, err error) {
	if r.Preview() {
		o := overlayOf(r.World())
		o.mu.Lock()
		defer o.mu.Unlock()
		if text, ok := o.files[path]; ok {
			return text, true, nil
		}
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return string(data), err == nil, err
}

// put is the change of box.put.
type put struct {
	box  *box
	args putArgs
}

type putUndo struct {
	Path    string        `json:"path"`
	Existed bool          `json:"existed"`
	Old     *journal.Blob `json:"old,omitempty"`
}

func (p *put) Describe() Description {
	return Description{
		Call: "box.put", Target: p.args.Path, Undo: Exact, Tree: p.args.Tree,
		Needs: []policy.Need{{Kind: "box", Target: p.args.Path}},
	}
}

func (p *put) Probe(_ context.Context, r *Reader) (Finding, error) {
	p.box.called("probe", p.args.Path)
	old, exists, err := see(r, p.args.Path)
	if err != nil {
		return Finding{}, err
	}
	if exists && old == p.args.Content {
		return Finding{Summary: "same content", Value: starlark.String("same")}, nil
	}
	return Finding{Needed: true, Summary: fmt.Sprintf("%d bytes", len(p.args.Content)), Diff: "+" + p.args.Content}, nil
}

func (p *put) Undo(_ context.Context, k *Keeper) (*Undo, error) {
	p.box.called("undo", p.args.Path)
	u := putUndo{Path: p.args.Path}
	f, err := os.Open(p.args.Path)
	if err == nil {
		defer f.Close()
		data, err := io.ReadAll(f)
		if err != nil {
			return nil, err
		}
		blob, err := k.Keep(strings.NewReader(string(data)), k.Secret(data))
		if err != nil {
			return nil, err
		}
		u.Existed, u.Old = true, &blob
	}
	return &Undo{Kind: "box.put", Args: u, Note: "restores " + p.args.Path, Touches: p.box.touches}, nil
}

func (p *put) Apply(ctx context.Context, w *Writer) (Applied, error) {
	w.Require()
	p.box.called("apply", p.args.Path)
	if p.box.applying != nil {
		if err := p.box.applying(ctx, w, p.args.Path); err != nil {
			return Applied{}, err
		}
	}
	err := os.WriteFile(p.args.Path, []byte(p.args.Content), 0o644)
	return Applied{Value: starlark.String("put"), After: p.args.Content}, err
}

func (p *put) Predict(w *World) (starlark.Value, error) {
	p.box.called("predict", p.args.Path)
	o := overlayOf(w)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.files[p.args.Path] = p.args.Content
	return starlark.String("put"), nil
}

func (b *box) undo(_ context.Context, w *Writer, u putUndo) error {
	w.Require()
	b.called("undone", u.Path)
	if b.undoing != nil {
		if err := b.undoing(w, u.Path); err != nil {
			return err
		}
	}
	if !u.Existed {
		if err := os.Remove(u.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	old, err := w.Open(*u.Old)
	if err != nil {
		return err
	}
	defer old.Close()
	data, err := io.ReadAll(old)
	if err != nil {
		return err
	}
	return os.WriteFile(u.Path, data, 0o644)
}

func drift(_ context.Context, _ *Reader, u putUndo, after string) (string, error) {
	data, err := os.ReadFile(u.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return "is gone", nil
	}
	if string(data) != after {
		return "has other content", err
	}
	return "", err
}

// deed is the change of box.do.
type deed struct {
	box  *box
	args doArgs
	call *Call
}

func (d *deed) Describe() Description {
	return Description{Call: "box.do", Target: d.args.Title, Undo: NoUndo}
}

func (d *deed) Probe(context.Context, *Reader) (Finding, error) {
	return Finding{Needed: true, Summary: "do"}, nil
}

func (d *deed) Undo(context.Context, *Keeper) (*Undo, error) { return nil, nil }

func (d *deed) Apply(ctx context.Context, w *Writer) (Applied, error) {
	w.Require()
	d.box.called("apply", d.args.Title)
	if d.box.applying != nil {
		if err := d.box.applying(ctx, w, d.args.Title); err != nil {
			return Applied{}, err
		}
	}
	if d.args.Hook != "" {
		if _, err := d.box.hooks[d.args.Hook](d.call); err != nil {
			return Applied{}, err
		}
	}
	return Applied{Value: starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"stdout": starlark.String("ok"),
	})}, nil
}

func (d *deed) Predict(*World) (starlark.Value, error) {
	d.box.called("predict", d.args.Title)
	return newGuess(), nil
}

// after returns what an entry of a journal says that it left.
func after(e journal.EntryState) string {
	var text string
	if json.Unmarshal(e.After, &text) != nil {
		return ""
	}
	return text
}
