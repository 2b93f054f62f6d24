package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// Message is a line of what the engine reports while it builds, pulls, pushes or loads.
type Message struct {
	Stream   string          `json:"stream"` // what a build prints
	Status   string          `json:"status"`
	ID       string          `json:"id"` // of the layer that Status is about
	Progress Progress        `json:"progressDetail"`
	Aux      json.RawMessage `json:"aux"` // the result
	Failure  struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
	FailureText string `json:"error"`
}

// Progress is how far the work on a layer has come, in bytes.
type Progress struct {
	Current int64 `json:"current"`
	Total   int64 `json:"total"`
}

// failure is what the engine says has failed, "" if nothing has.
func (m Message) failure() string {
	if text := strings.TrimSpace(m.Failure.Message); text != "" {
		return text
	}
	return strings.TrimSpace(m.FailureText)
}

// Follow reads what the engine reports until it ends, and closes it. It fails if the engine reports a failure: the
// connection alone does not tell, since it ends well either way.
func Follow(ctx context.Context, from io.ReadCloser, each func(Message)) error {
	defer from.Close()
	for d := json.NewDecoder(from); ; {
		var m Message
		err := d.Decode(&m)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("the engine's report broke off: %w", err)
		}
		if text := m.failure(); text != "" {
			return &saidError{text: text}
		}
		if each != nil {
			each(m)
		}
	}
}

// Layers shows how far the layers of an image have come. What is what is done: "pull app:1".
func Layers(w *runtime.Writer, what string) func(Message) {
	known := map[string]Progress{}
	return func(m Message) {
		if m.ID == "" || m.Progress.Total <= 0 {
			return
		}
		known[m.ID] = m.Progress
		bar := events.Bar{What: what, Unit: "bytes"}
		for _, p := range known {
			bar.Current += p.Current
			bar.Total += p.Total
		}
		bar.Done = bar.Current == bar.Total
		w.Progress(bar)
	}
}
