package compose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
)

// judge says what is wrong with a container, or what is waited for; both are empty for one that is ready.
func (m *monitor) judge(r replica, service types.ServiceConfig, complete bool, now time.Time) (bad, wait string) {
	ends := awaited(m.project, service)
	was, old := m.before[r.ID]
	if old && !r.State.Running && was.State.StartedAt == r.State.StartedAt && !complete {
		return "", "is to be started"
	}
	if n := r.RestartCount - was0(was, old); n > m.restarts && !ends {
		bad = fmt.Sprintf("has been restarted %d times", n)
		if r.State.Status != container.StateRunning { // the engine forgets the code when it starts a container
			bad += fmt.Sprintf(", last after it exited with code %d", r.State.ExitCode)
		}
		return bad, ""
	}
	switch r.State.Status {
	case container.StateCreated:
		if r.State.Error != "" {
			return exited(r.State), "" // its port is taken, or there is no such program
		}
		return "", "is to be started"
	case container.StateRestarting:
		return "", "restarts"
	case container.StateExited, container.StateDead:
		if r.State.ExitCode == 0 && mayEnd(m.project, service) {
			m.ended[r.service] = true
			return "", ""
		}
		return exited(r.State), ""
	case container.StatePaused:
		return "is paused", ""
	}
	s := m.known[r.ID]
	if s == nil || s.started != r.State.StartedAt {
		s = &seen{r.State.StartedAt, now}
		m.known[r.ID] = s
	}
	if h := r.State.Health; h != nil && h.Status != container.NoHealthcheck {
		return m.judgeHealth(h)
	}
	switch {
	case ends:
		return "", "has not ended"
	case now.Sub(s.since) < m.steady:
		return "", fmt.Sprintf("has run for less than %v", m.steady)
	}
	return "", ""
}

// was0 is how often a container had been restarted before.
func was0(was container.InspectResponse, old bool) int {
	if old && was.ContainerJSONBase != nil {
		return was.RestartCount
	}
	return 0
}

func exited(s *container.State) string {
	switch {
	case s.OOMKilled:
		return fmt.Sprintf("was killed: it needed more memory than it may have (code %d)", s.ExitCode)
	case s.Error != "":
		return fmt.Sprintf("did not start: %s", s.Error)
	}
	return fmt.Sprintf("exited with code %d", s.ExitCode)
}

func (m *monitor) judgeHealth(h *container.Health) (bad, wait string) {
	last := ""
	if n := len(h.Log); n > 0 {
		last = strings.TrimSpace(h.Log[n-1].Output)
	}
	if h.Status == container.Unhealthy {
		bad = fmt.Sprintf("is unhealthy: its health check failed %d times in a row", h.FailingStreak)
		if last != "" {
			bad += ", last with " + oneLine(last)
		}
		return bad, ""
	}
	streak := 0
	for _, probe := range slices.Backward(h.Log) {
		if probe.ExitCode != 0 {
			break
		}
		streak++
	}
	if h.Status == container.Healthy && streak >= m.streak {
		return "", ""
	}
	wait = fmt.Sprintf("is %s, %d of %d health checks in a row succeeded", h.Status, streak, m.streak)
	if streak == 0 && last != "" {
		wait += ", last " + oneLine(last)
	}
	return "", wait
}

// oneLine is what a check said, in one line that is not too long.
func oneLine(text string) string {
	const most = 300
	line := strings.Join(strings.Fields(text), " ")
	if len(line) > most {
		line = line[:strings.LastIndexByte(line[:most], ' ')+1] + "…" // not in the middle of what may be a secret
	}
	return line
}
