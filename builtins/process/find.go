package process

import (
	"os"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// state is what the supervisor has written about the command.
type state struct {
	Status     string // running, waiting (to start it again), stopped, failed (given up); "" if never started
	Command    proc.Identity
	Restarts   int
	ExitCode   int  // the last
	Exited     bool // whether there is one
	Executable string
	Directory  string
}

// found is who runs of a service. An identity that is zero is of nobody alive.
type found struct {
	supervisor proc.Identity
	command    proc.Identity
	state      state
}

// any reports whether something of the service runs that is to be looked after or ended.
func (f found) any() bool { return f.supervisor != proc.Identity{} || f.command != proc.Identity{} }

// well reports whether the command runs and somebody looks after it.
func (f found) well() bool {
	return f.supervisor != proc.Identity{} && f.command != proc.Identity{}
}

// find reads the service's files and looks who of those in them is alive.
func (s service) find() found {
	var f found
	if text, err := os.ReadFile(s.pidFile()); err == nil {
		if id, ok := parsePIDFile(string(text)); ok && id.Alive() {
			f.supervisor = id
		}
	}
	if text, err := os.ReadFile(s.stateFile()); err == nil {
		f.state = parseState(string(text))
		if f.state.Command.Alive() {
			f.command = f.state.Command
		}
	}
	return f
}

// processes lists everything of the service that runs: what is in its files, what is in the command's
// session, and what carries the service's marker, even if infrarun was killed before a file was written.
func (s service) processes() []proc.Identity {
	seen := map[proc.Identity]bool{}
	var all []proc.Identity
	add := func(ids ...proc.Identity) {
		for _, id := range ids {
			if id != (proc.Identity{}) && !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	f := s.find()
	add(f.supervisor, f.command)
	if f.command != (proc.Identity{}) {
		add(proc.InSession(f.command.PID)...)
	}
	add(proc.WithEnv(s.marker())...)
	return all
}

// parsePIDFile reads "pid starttime".
func parsePIDFile(text string) (proc.Identity, bool) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return proc.Identity{}, false
	}
	return parseIdentity(fields[0], fields[1])
}

func parseIdentity(pid, start string) (proc.Identity, bool) {
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 0 {
		return proc.Identity{}, false
	}
	t, err := strconv.ParseUint(start, 10, 64)
	if err != nil {
		return proc.Identity{}, false
	}
	return proc.Identity{PID: n, Start: t}, true
}

// parseState reads lines of a word and a value. What it does not understand stays empty.
func parseState(text string) state {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		values[key] = value
	}
	s := state{Status: values["status"], Executable: values["executable"], Directory: values["directory"]}
	s.Command, _ = parseIdentity(values["pid"], values["started"])
	if n, err := strconv.Atoi(values["restarts"]); err == nil && n >= 0 {
		s.Restarts = n
	}
	if n, err := strconv.Atoi(values["exit_code"]); err == nil {
		s.ExitCode, s.Exited = n, true
	}
	return s
}
