package engine

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Logs returns what a container has printed, both streams in the order in which it did: the end of it, if it is more than
// so many bytes. Options say which lines.
func (c *Client) Logs(ctx context.Context, of *container.InspectResponse, options container.LogsOptions, most int) (string, error) {
	options.ShowStdout, options.ShowStderr = true, true
	from, err := c.ContainerLogs(ctx, of.ID, options)
	if err != nil {
		return "", fmt.Errorf("read its log: %w", Explain(ctx, err))
	}
	defer from.Close()
	text, err := ReadLog(from, of.Config.Tty, most)
	if err != nil {
		return "", fmt.Errorf("read its log: %w", Explain(ctx, err))
	}
	return text, nil
}

// ReadLog reads a log as the engine sends it: as it is from a terminal, else in frames of either stream. It returns the last
// lines of it, if it is more than so many bytes: a part of one could be a part of a secret, which nobody would know for one.
func ReadLog(from io.Reader, terminal bool, most int) (string, error) {
	end := &lastBytes{limit: most}
	var err error
	if terminal {
		_, err = io.Copy(end, from)
	} else {
		_, err = stdcopy.StdCopy(end, end, bufio.NewReader(from))
	}
	return end.String(), err
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct {
	text  []byte
	limit int
}

func (l *lastBytes) Write(p []byte) (int, error) {
	l.text = append(l.text, p...)
	if len(l.text) > 2*l.limit { // seldom, since what stays is moved
		l.text = append(l.text[:0], l.text[len(l.text)-l.limit-1:]...)
	}
	return len(p), nil
}

func (l *lastBytes) String() string {
	over := len(l.text) - l.limit
	if over <= 0 {
		return string(l.text)
	}
	end := l.text[over-1:] // with the byte before, which may end a line
	_, lines, _ := bytes.Cut(end, []byte("\n"))
	return string(lines)
}

// LastLines returns the last lines of a log, as text that can be shown.
func LastLines(text string, n int) []string {
	text = strings.TrimRight(strings.ToValidUTF8(text, "\uFFFD"), "\r\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-n):]
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], "\r")
	}
	return lines
}
