package stack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// verdict is how a service does. If bad and wait are empty, it is as wanted.
type verdict struct {
	bad      string
	tasks    []swarm.Task // that failed
	wait     string
	progress string
}

// judge says how a service does, from what the swarm says of its update and of its tasks.
func (w *watch) judge(s *watched, now swarm.Service, tasks []swarm.Task, at time.Time) (verdict, error) {
	c, err := w.count(s, now, tasks)
	if err != nil {
		return verdict{}, err
	}
	if s.enough > 0 {
		c.wanted = min(c.wanted, s.enough)
	}
	v := verdict{tasks: c.failed, progress: fmt.Sprintf("%d of %d tasks run", c.running+c.ended, c.wanted)}
	updating, completed := false, false
	if u := now.UpdateStatus; u != nil && s.updated && !w.undo {
		switch u.State {
		case swarm.UpdateStatePaused, swarm.UpdateStateRollbackPaused:
			v.bad = "the swarm has paused its update: " + u.Message
		case swarm.UpdateStateRollbackStarted, swarm.UpdateStateRollbackCompleted:
			v.bad = "the swarm takes its update back: " + u.Message
		case swarm.UpdateStateUpdating:
			updating = true
		case swarm.UpdateStateCompleted:
			completed = true // it has watched them itself
		}
	}
	if v.bad != "" {
		return v, nil
	}
	if template, err := serviceTemplate(now.Spec); err != nil || template != s.template {
		v.bad = "somebody else has changed it meanwhile"
		return v, err
	}
	// While it updates, the swarm itself judges tasks that fail, by the service's update_config.
	allowed := w.restarts
	if u := now.Spec.UpdateConfig; u != nil && completed {
		allowed = max(allowed, int(u.MaxFailureRatio*float32(c.wanted)))
	}
	if len(c.failed) > allowed && !updating && !w.undo {
		v.bad = fmt.Sprintf("%d of its tasks have failed", len(c.failed))
		return v, nil
	}
	switch {
	case c.running+c.ended < c.wanted || c.wanted == 0 && !c.none:
		v.wait = v.progress + c.pending()
	case c.old > 0:
		v.wait = fmt.Sprintf("%d old tasks run beside %d new ones", c.old, c.running)
	case updating:
		v.wait = v.progress + ", the swarm watches the update"
	case !completed:
		v.wait = s.steadyFor(c, w.steady, at)
	}
	return v, nil
}

// steadyFor says what is waited for while the same tasks have not run long enough.
func (s *watched) steadyFor(c count, steady time.Duration, at time.Time) string {
	if s.running != c.ids || s.since.IsZero() {
		s.running, s.since = c.ids, at
	}
	if c.running > 0 && at.Sub(s.since) < steady {
		return fmt.Sprintf("%d of %d tasks run, for less than %v", c.running+c.ended, c.wanted, steady)
	}
	return ""
}

// count is how many tasks a service has.
type count struct {
	wanted  int
	none    bool // it is to have none
	running int
	ended   int // well, where they may end
	old     int // of another specification
	failed  []swarm.Task
	waiting []swarm.Task
	ids     string // of those that run
}

// count looks at the tasks of a service.
func (w *watch) count(s *watched, now swarm.Service, tasks []swarm.Task) (count, error) {
	var c count
	n, replicated := replicas(now.Spec.Mode)
	c.wanted, c.none = int(n), replicated && n == 0
	var running []string
	for _, t := range tasks {
		template, err := templateOf(t.Spec)
		if err != nil {
			return c, err
		}
		if template != s.template {
			if t.Status.State == swarm.TaskStateRunning && !w.down[t.NodeID] {
				c.old++ // it answers until it has ended
			}
			continue
		}
		switch t.Status.State {
		case swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateOrphaned:
			if !s.known[t.ID] {
				c.failed = append(c.failed, t)
			}
			continue
		case swarm.TaskStateComplete:
			if mayEnd(t.Spec.RestartPolicy) {
				c.ended++
			}
			continue
		}
		if t.DesiredState != swarm.TaskStateRunning && t.DesiredState != swarm.TaskStateReady {
			continue
		}
		if !replicated {
			c.wanted++
		}
		switch {
		case t.Status.State != swarm.TaskStateRunning:
			c.waiting = append(c.waiting, t)
		case t.NodeID == w.node && !w.here[t.ID]:
			t.Status.Err = "but has no container"
			c.waiting = append(c.waiting, t)
		default:
			c.running++
			running = append(running, t.ID)
		}
	}
	if !replicated {
		c.wanted += c.ended
	}
	slices.Sort(running)
	c.ids = strings.Join(running, " ")
	return c, nil
}

// mayEnd reports whether a task that has ended well is not replaced.
func mayEnd(p *swarm.RestartPolicy) bool {
	return p != nil && (p.Condition == swarm.RestartPolicyConditionNone || p.Condition == swarm.RestartPolicyConditionOnFailure)
}

// pending says why tasks do not run yet.
func (c count) pending() string {
	if len(c.waiting) == 0 {
		return ""
	}
	t := c.waiting[0]
	text := ", one is " + string(t.Status.State)
	if t.Status.Err != "" {
		text += " (" + t.Status.Err + ")"
	}
	return text
}
