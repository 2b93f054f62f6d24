package compose

import (
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// oneShot reports whether a service says that it does something and ends: another waits for its end, or it is not to be
// started again after it.
func oneShot(p *project, s types.ServiceConfig) bool {
	return awaited(p, s) || s.Restart == "no" || strings.HasPrefix(s.Restart, "on-failure")
}

// awaited reports whether another service waits for the end of this one.
func awaited(p *project, s types.ServiceConfig) bool {
	for _, other := range p.Services {
		if other.DependsOn[s.Name].Condition == types.ServiceConditionCompletedSuccessfully {
			return true
		}
	}
	return false
}

// mayEnd reports whether it is well if a container of a service ends with code 0. One that answers on a port or is asked
// for its health is to run on, whatever it says.
func mayEnd(p *project, s types.ServiceConfig) bool {
	if awaited(p, s) {
		return true
	}
	return (s.Restart == "" || oneShot(p, s)) && len(s.Ports) == 0 && !checked(s)
}

// checked reports whether the project gives a service a health check.
func checked(s types.ServiceConfig) bool {
	h := s.HealthCheck
	return h != nil && !h.Disable && !(len(h.Test) > 0 && h.Test[0] == "NONE")
}
