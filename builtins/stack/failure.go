package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/pkg/stdcopy"
)

// failure is a service that did not come up.
type failure struct {
	service *watched
	what    string
	tasks   []swarm.Task // that failed, the newest first
}

const (
	shownTasks = 3               // how many failed tasks are explained
	lastLines  = 10              // how much of a log stands in the error
	logTail    = "200"           // how many lines of a log are shown
	logTimeout = 5 * time.Second // how long the machines have to send them
	logLimit   = 1 << 20         // bytes
)

// explain makes an error of a failure, with what the failed tasks said, and shows their logs.
func (w *watch) explain(ctx context.Context, f *failure) error {
	var text strings.Builder
	fmt.Fprintf(&text, "service %s: %s", f.service.name, f.what)
	nodes := map[string]string{}
	if list, err := w.NodeList(ctx, swarm.NodeListOptions{}); err == nil {
		for _, n := range list {
			nodes[n.ID] = n.Description.Hostname
		}
	}
	for i, t := range f.tasks {
		if i == shownTasks {
			break
		}
		fmt.Fprintf(&text, "\ntask %s: %s", taskName(f.service.name, t, nodes), reason(t))
		if lines := w.log(ctx, t, f.service.name); len(lines) > 0 {
			text.WriteString("; it printed\n  " + strings.Join(lines[max(0, len(lines)-lastLines):], "\n  "))
		}
	}
	return errors.New(text.String())
}

func taskName(service string, t swarm.Task, nodes map[string]string) string {
	name := service
	if t.Slot > 0 {
		name = fmt.Sprintf("%s.%d", service, t.Slot)
	}
	if node := nodes[t.NodeID]; node != "" {
		name += " on " + node
	}
	return name
}

// reason is why a task failed.
func reason(t swarm.Task) string {
	text := t.Status.Err
	if text == "" {
		text = t.Status.Message
	}
	if c := t.Status.ContainerStatus; c != nil && c.ExitCode != 0 && !strings.Contains(text, "exit") {
		text += fmt.Sprintf(" (exit code %d)", c.ExitCode)
	}
	return string(t.Status.State) + ", " + text
}

// log returns what a task printed last, and shows it. A log that cannot be had is no further failure.
func (w *watch) log(ctx context.Context, t swarm.Task, service string) []string {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	from, err := w.TaskLogs(ctx, t.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: logTail})
	if err != nil {
		return nil
	}
	defer from.Close()
	var all bytes.Buffer
	if c := t.Spec.ContainerSpec; c != nil && c.TTY {
		_, _ = io.Copy(&all, io.LimitReader(from, logLimit))
	} else {
		_, _ = stdcopy.StdCopy(&all, &all, io.LimitReader(from, logLimit))
	}
	var lines []string
	for line := range strings.Lines(all.String()) {
		line = strings.ToValidUTF8(strings.TrimRight(line, "\r\n"), "�")
		w.Run.Output("stderr", short(w.stack, service)+" | "+line)
		lines = append(lines, line)
	}
	return lines
}
