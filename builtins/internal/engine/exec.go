package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Command is what is run in a container.
type Command struct {
	Argv    []string
	Env     []string // KEY=value
	User    string
	Workdir string
	Timeout time.Duration // 0: as long as it likes
	// Line is called with each line of output, if it is not nil.
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
	out, errs := &output{name: "stdout", line: cmd.Line}, &output{name: "stderr", line: cmd.Line}
	_, err = stdcopy.StdCopy(out, errs, stream.Reader)
	switch {
	case ctx.Err() != nil:
		return Ended{}, context.Cause(ctx)
	case limited.Err() != nil:
		return Ended{}, fmt.Errorf("it takes longer than %v; the engine cannot end it, so it may go on in the container", cmd.Timeout)
	case err != nil && err != io.EOF:
		return Ended{}, fmt.Errorf("read what it prints: %w", err)
	}
	out.end()
	errs.end()
	state, err := c.api.ContainerExecInspect(ctx, made.ID)
	if err != nil {
		return Ended{}, Explain(ctx, err)
	}
	return Ended{Code: state.ExitCode, Stdout: out.text.String(), Stderr: errs.text.String()}, nil
}

// maxOutput bounds what is kept of a stream, in bytes.
const maxOutput = 4 << 20

// output keeps what a command prints to a stream, and passes on its lines.
type output struct {
	name string
	line func(stream, line string)
	text bytes.Buffer
	rest []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.text.Write(p[:min(len(p), max(0, maxOutput-o.text.Len()))])
	if o.line == nil {
		return len(p), nil
	}
	o.rest = append(o.rest, p...)
	for {
		line, rest, whole := bytes.Cut(o.rest, []byte("\n"))
		if !whole && len(o.rest) < maxLine {
			return len(p), nil
		}
		o.rest = rest
		o.line(o.name, string(bytes.TrimRight(line, "\r")))
	}
}

// maxLine bounds a line, in bytes: what is longer is shown in parts.
const maxLine = 64 << 10

func (o *output) end() {
	if o.line != nil && len(o.rest) > 0 {
		o.line(o.name, string(o.rest))
	}
}
