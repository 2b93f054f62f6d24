package engine

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/infrarun/infrarun/builtins/internal/lines"
)

// Command is what is run in a container.
type Command struct {
	Argv    []string
	Env     []string // KEY=value
	User    string
	Workdir string
	Timeout time.Duration // 0: as long as it likes
	// Line is called with each line of output, if it is not nil. All of it is shown; [lines.MaxText] bytes are kept.
	Line func(stream, line string)
}

// Ended is how a command ended.
type Ended struct {
	Code           int
	Stdout, Stderr string
}

// Exec runs a command in a container that runs. Whether it changes anything is the command's business: whoever calls this
// without a writer says that the recipe has declared that it does not.
//
// The engine cannot end a command that takes too long: it is an error, and the command may go on.
func (c *Client) Exec(ctx context.Context, id string, cmd Command) (Ended, error) {
	if c.api == nil {
		return Ended{}, none("engine")
	}
	made, err := c.api.ContainerExecCreate(ctx, id, container.ExecOptions{
		Cmd: cmd.Argv, Env: cmd.Env, User: cmd.User, WorkingDir: cmd.Workdir, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return Ended{}, Explain(ctx, err)
	}
	stream, err := c.api.ContainerExecAttach(ctx, made.ID, container.ExecAttachOptions{})
	if err != nil {
		return Ended{}, Explain(ctx, err)
	}
	defer stream.Close()
	limited, cancel := ctx, context.CancelFunc(func() {})
	if cmd.Timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, cmd.Timeout)
	}
	defer cancel()
	// Reading does not know of the context: it ends when the connection does.
	defer context.AfterFunc(limited, stream.Close)()
	out, errs := newOutput("stdout", cmd.Line), newOutput("stderr", cmd.Line)
	_, err = stdcopy.StdCopy(out, errs, stream.Reader)
	switch {
	case ctx.Err() != nil:
		return Ended{}, context.Cause(ctx)
	case limited.Err() != nil:
		return Ended{}, cmd.late()
	case err != nil && err != io.EOF:
		return Ended{}, fmt.Errorf("read what it prints: %w", err)
	}
	out.shown.Flush()
	errs.shown.Flush()
	code, err := c.exitCode(limited, made.ID)
	switch {
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		return Ended{}, cmd.late()
	case err != nil:
		return Ended{}, err
	}
	return Ended{Code: code, Stdout: out.text.String(), Stderr: errs.text.String()}, nil
}

// late says that a command takes too long.
func (c Command) late() error {
	return fmt.Errorf("it takes longer than %v; the engine cannot end it, so it may go on in the container", c.Timeout)
}

// exitPoll is how often it is looked whether a command has ended that prints nothing any more.
const exitPoll = 50 * time.Millisecond

// exitCode waits for the end of a command. One can close its output and go on: then the engine has no exit status yet, which
// looks like 0.
func (c *Client) exitCode(ctx context.Context, id string) (int, error) {
	for {
		state, err := c.api.ContainerExecInspect(ctx, id)
		if err != nil {
			return 0, Explain(ctx, err)
		}
		if !state.Running {
			return state.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(exitPoll):
		}
	}
}

// output takes in what a command prints to one stream.
type output struct {
	text  lines.Text
	shown lines.Splitter
}

func newOutput(stream string, line func(stream, line string)) *output {
	if line == nil {
		line = func(string, string) {}
	}
	return &output{shown: lines.Splitter{Emit: func(text string) { line(stream, text) }}}
}

// Write implements [io.Writer].
func (o *output) Write(p []byte) (int, error) {
	_, _ = o.text.Write(p)
	return o.shown.Write(p)
}
