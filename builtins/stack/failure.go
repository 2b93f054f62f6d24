package stack

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
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
	shownLines = 200             // how many lines of a log are shown
	shownBytes = 1 << 20         // at the most
	logTimeout = 5 * time.Second // how long the machines have to send them
)

// explain says what failed, with what the tasks printed last, and shows their logs.
func (w *watch) explain(ctx context.Context, failed ...*failure) string {
	ctx, cancel := context.WithTimeout(ctx, 3*logTimeout)
	defer cancel()
	nodes := map[string]string{}
	if list, err := w.NodeList(ctx, swarm.NodeListOptions{}); err == nil {
		for _, n := range list {
			nodes[n.ID] = n.Description.Hostname
		}
	}
	var parts []string
	for _, f := range failed {
		parts = append(parts, fmt.Sprintf("service %s: %s", f.service.name, f.what))
		for _, t := range f.tasks[:min(shownTasks, len(f.tasks))] {
			text := fmt.Sprintf("task %s: %s", taskName(f.service.name, t, nodes), reason(t))
			if lines := w.log(ctx, t, f.service.name); len(lines) > 0 {
				text += "; it printed\n  " + strings.Join(lines[max(0, len(lines)-lastLines):], "\n  ")
			}
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n")
}

// late says what is not ready when the time is over.
func (w *watch) late(ctx context.Context, waiting map[string]string, timeout time.Duration) error {
	var list []*failure
	for _, s := range w.services {
		why := waiting[s.name]
		if why == "" {
			continue
		}
		f := &failure{service: s, what: why}
		if tasks, err := tasksOf(ctx, w.Client, s.id); err == nil {
			f.tasks = s.suspects(tasks)
		}
		list = append(list, f)
	}
	if len(list) == 0 {
		return fmt.Errorf("stack %s is not ready after %v: the swarm did not answer", w.stack, timeout)
	}
	return fmt.Errorf("stack %s is not ready after %v:\n%s", w.stack, timeout, w.explain(ctx, list...))
}

// suspects are the tasks that may say why a service does not come up, where none has failed: those that were made since,
// and have got as far as to have a container.
func (s *watched) suspects(tasks []swarm.Task) []swarm.Task {
	var list []swarm.Task
	for _, t := range tasks {
		template, err := templateOf(t.Spec)
		c := t.Status.ContainerStatus
		if err == nil && template == s.template && !s.known[t.ID] && c != nil && c.ContainerID != "" {
			list = append(list, t)
		}
	}
	return list
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
	from, err := w.TaskLogs(ctx, t.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(shownLines)})
	if err != nil {
		return nil
	}
	defer from.Close()
	c := t.Spec.ContainerSpec
	text, _ := engine.ReadLog(from, c != nil && c.TTY, shownBytes)
	lines := engine.LastLines(text, shownLines)
	for _, line := range lines {
		w.Run.Output("stderr", short(w.stack, service)+" | "+line)
	}
	return lines
}
