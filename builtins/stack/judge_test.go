package stack

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// What the swarm says of an update counts, and what it does not judge is judged here.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		update swarm.UpdateState
		ratio  float32
		tasks  string // a letter each: running, failed, starting, on this machine; R of the old specification
		bad    string
		wait   string
	}{
		{"new and up", "", 0, "rr", "", "for less than 3s"},
		{"new and failing", "", 0, "rrf", "1 of its tasks have failed", ""},
		{"updating, one failed", swarm.UpdateStateUpdating, 0, "rRf", "", "1 of 2 tasks run"},
		{"paused", swarm.UpdateStatePaused, 0, "rR", "the swarm has paused its update: why", ""},
		{"going back", swarm.UpdateStateRollbackStarted, 0, "RR", "the swarm takes its update back: why", ""},
		{"gone back", swarm.UpdateStateRollbackCompleted, 0, "RR", "the swarm takes its update back: why", ""},
		{"cannot go back", swarm.UpdateStateRollbackPaused, 0, "R", "the swarm has paused its update: why", ""},
		{"updated", swarm.UpdateStateCompleted, 0, "rr", "", ""},
		{"updated, an old one still answers", swarm.UpdateStateCompleted, 0, "rrR", "", "1 old tasks run beside 2 new ones"},
		{"updated whatever fails", swarm.UpdateStateCompleted, 0, "rrf", "1 of its tasks have failed", ""},
		{"updated, as many failed as may", swarm.UpdateStateCompleted, 0.5, "rrf", "", ""},
		{"updated, more failed than may", swarm.UpdateStateCompleted, 0.5, "rrff", "2 of its tasks have failed", ""},
		{"updated, but ended with the engine here", swarm.UpdateStateCompleted, 0, "rh", "", "1 of 2 tasks run, one is running (but has no container)"},
		{"updated, and ended since", swarm.UpdateStateCompleted, 0.5, "rsf", "", "1 of 2 tasks run, one is starting"},
	} {
		two := uint64(2)
		now := swarm.Service{Spec: swarm.ServiceSpec{Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &two}}}}
		now.Spec.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{Image: "app:2"}
		now.Spec.UpdateConfig = &swarm.UpdateConfig{MaxFailureRatio: c.ratio}
		if c.update != "" {
			now.UpdateStatus = &swarm.UpdateStatus{State: c.update, Message: "why"}
		}
		template, err := serviceTemplate(now.Spec)
		if err != nil {
			t.Fatal(err)
		}
		s := &watched{name: "shop_site", updated: c.update != "", template: template}
		v, err := (&watch{steady: 3 * time.Second, node: "this"}).judge(s, now, tasksLike(now, c.tasks), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range []struct{ got, want string }{{v.bad, c.bad}, {v.wait, c.wait}} {
			if one.want == "" && one.got != "" || !strings.Contains(one.got, one.want) {
				t.Errorf("%s: bad %q, wait %q; want %q, %q", c.name, v.bad, v.wait, c.bad, c.wait)
				break
			}
		}
	}
}

// tasksLike makes tasks of a service, a letter each.
func tasksLike(s swarm.Service, letters string) []swarm.Task {
	var list []swarm.Task
	for i, letter := range letters {
		task := swarm.Task{ID: fmt.Sprint(i), Spec: s.Spec.TaskTemplate, DesiredState: swarm.TaskStateRunning}
		switch letter {
		case 'R':
			task.Spec.ContainerSpec = &swarm.ContainerSpec{Image: "app:1"}
			task.Status.State = swarm.TaskStateRunning
		case 'r':
			task.Status.State = swarm.TaskStateRunning
		case 'h':
			task.Status.State, task.NodeID = swarm.TaskStateRunning, "this"
		case 's':
			task.Status.State = swarm.TaskStateStarting
		case 'f':
			task.Status.State, task.DesiredState = swarm.TaskStateFailed, swarm.TaskStateShutdown
		}
		list = append(list, task)
	}
	return list
}
