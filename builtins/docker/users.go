package docker

import (
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

// user is a container that has an image, volume or network which something is to be done to, as it is by then.
type user struct {
	name     string
	running  bool
	aside    bool // it is, or will be, set aside
	doubtful bool // a preview cannot tell whether it will still be there: another family may remove it
}

// ofOthers reports whether a container belongs to a project of Docker Compose or to a service of a swarm, which compose.down
// and stack.remove remove.
func ofOthers(c container.Summary) bool {
	return c.Labels["com.docker.compose.project"] != "" || c.Labels["com.docker.swarm.service.id"] != ""
}

// usersOf lists those of the containers that there are, and of those that a preview predicts, that have something.
func usersOf(r *runtime.Reader, list []container.Summary, has func(container.Summary) bool, will func(predictedContainer) bool) []user {
	var all []user
	o := overlayOf(r.World())
	for _, c := range list {
		if !has(c) {
			continue
		}
		u := user{name: engine.NameOf(c), running: c.State == container.StateRunning}
		u.aside = keptRun(u.name) != ""
		p, predicted := lookup(o, o.containers, u.name)
		switch {
		case !r.Preview():
		case predicted && p.gone:
			continue
		case predicted: // one that is replaced, or removed, is stopped and set aside
			u.running, u.aside = p.running && !p.made, u.aside || p.made || !p.there
		default:
			u.doubtful = ofOthers(c)
		}
		all = append(all, u)
	}
	if !r.Preview() {
		return all
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range sortedKeys(o.containers) {
		if p := o.containers[name]; p.there && p.made && will(p) {
			all = append(all, user{name: name, running: p.running})
		}
	}
	return all
}

// hinder refuses what those users hinder that are meant; error says it with their names. If it is only doubtful whether they
// do, a preview takes it for granted that they do not.
func hinder(found *runtime.Finding, users []user, meant func(user) bool, errorf string) error {
	var sure, doubtful []string
	for _, u := range users {
		switch {
		case !meant(u):
		case u.doubtful:
			doubtful = append(doubtful, u.name)
		default:
			sure = append(sure, u.name)
		}
	}
	if len(sure) > 0 {
		return fmt.Errorf(errorf, strings.Join(sure, ", "))
	}
	if len(doubtful) > 0 {
		found.Assumed = "what has it now lets go of it: container " + strings.Join(doubtful, ", ")
	}
	return nil
}

func anyUser(user) bool    { return true }
func running(u user) bool  { return u.running }
func notAside(u user) bool { return !u.aside }
