package pkg

import (
	"math"
	"strconv"
	"strings"
)

// parsePolicy reads the candidate from what `apt-cache policy` prints for one package; "" if there is none.
func parsePolicy(output string) string {
	for line := range strings.Lines(output) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "Candidate:"); ok {
			if version = strings.TrimSpace(version); version != "(none)" {
				return version
			}
			return ""
		}
	}
	return ""
}

// step is a line of what `apt-get --simulate` prints: a package that would be installed or removed.
type step struct {
	name, version string
	old           string // the version that is there, "" for none
	removed       bool
}

func (s step) String() string {
	switch {
	case s.removed:
		return "-" + s.name + " " + s.old
	case s.old != "":
		return "~" + s.name + " " + s.old + " -> " + s.version
	}
	return "+" + s.name + " " + s.version
}

// parseSimulation reads lines like
//
//	Inst git (1:2.39.5 Debian:12/stable [amd64])
//	Inst libc6 [2.36-9] (2.36-10 Debian:12/stable [amd64]) []
//	Remv mawk [1.3.4]
//	Purg curl [7.88.1]
func parseSimulation(output string) []step {
	var steps []step
	for line := range strings.Lines(output) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		s := step{name: f[1], removed: f[0] != "Inst"}
		if f[0] != "Inst" && f[0] != "Remv" && f[0] != "Purg" {
			continue
		}
		for _, part := range f[2:] {
			if version, ok := strings.CutPrefix(part, "("); ok && !s.removed {
				s.version = strings.TrimSuffix(version, ")")
				break
			}
			if version, ok := strings.CutPrefix(part, "["); ok && s.old == "" {
				s.old = strings.TrimSuffix(version, "]")
			}
		}
		steps = append(steps, s)
	}
	return steps
}

// parseStatusLine reads what apt prints of its progress:
//
//	dlstatus:1:20.5:Retrieving file 1 of 5
//	pmstatus:git:50.0:Installing git (amd64)
func parseStatusLine(line string) (percent float64, what string, ok bool) {
	kind, rest, _ := strings.Cut(line, ":")
	if kind != "dlstatus" && kind != "pmstatus" {
		return 0, "", false
	}
	// The package may be of an architecture: then it has a colon of its own.
	f := strings.Split(rest, ":")
	for i := 1; i < len(f) && i < 3; i++ {
		percent, err := strconv.ParseFloat(f[i], 64)
		if err == nil && !math.IsNaN(percent) {
			return min(max(percent, 0), 100), strings.TrimSpace(strings.Join(f[i+1:], ":")), true
		}
	}
	return 0, "", false
}
