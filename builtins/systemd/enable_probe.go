package systemd

import (
	"errors"
	"fmt"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// absent is the finding about a unit that is not there.
func (l *linking) absent(r *runtime.Reader, found runtime.Finding) (runtime.Finding, error) {
	switch {
	case l.verb == disable:
		found.Needed, found.Summary = false, "there is no such unit"
	case r.Preview():
		found.Summary, found.Assumed = l.verb+" it", assumedThere(l.unit)
	default:
		return found, notThere(l.unit)
	}
	return found, nil
}

// assumedThere is what a preview takes for granted about a unit that is not there yet.
func assumedThere(unit string) string {
	return unit + " is not on this machine yet: an earlier step, such as the installation of a package, brings it"
}

func notThere(unit string) error {
	return fmt.Errorf("there is no unit %s: install the package that brings it, or its file with systemd.unit", unit)
}

func (l *linking) probeEnable(v *filesys.View, s seen, found runtime.Finding) (runtime.Finding, error) {
	switch {
	case isMasked(s.File):
		return found, errMasked
	case s.File == "enabled":
		missing, err := l.missingLinks(v)
		found.Needed = len(missing) > 0
		found.Summary = "already enabled"
		if found.Needed {
			found.Summary = "enable it in " + strings.Join(missing, ", ") + " too"
		}
		return found, err
	case s.File == "static":
		return found, errors.New("its file has no section [Install], so nothing says when it is to be started; " +
			"add WantedBy=multi-user.target there")
	case s.File == "generated" || s.File == "transient":
		return found, fmt.Errorf("its file is %s, by another program than this machine's administrator: nothing can be enabled", s.File)
	}
	found.Summary = "have it started at boot"
	return found, nil
}

var errMasked = errors.New("it is masked: systemd.unmask it first")

// missingLinks lists the links that the unit names and that are not there: its file may have changed since it was
// enabled.
func (l *linking) missingLinks(v *filesys.View) ([]string, error) {
	var missing []string
	for _, path := range l.install.links(l.unit) {
		there, err := exists(v, path)
		if err != nil {
			return nil, err
		}
		if !there {
			missing = append(missing, strings.TrimPrefix(path, unitDir+"/"))
		}
	}
	return missing, nil
}

func (l *linking) probeDisable(found runtime.Finding) (runtime.Finding, error) {
	// Enabled at run time only, by links in /run, it is not at the next boot.
	on := l.file == "enabled" || l.file == "" && len(l.have.enabling(l.unit)) > 0
	switch {
	case on:
		found.Summary = "no longer have it started at boot"
	case l.file == "static":
		found.Needed, found.Summary = false, "never started at boot by itself"
	default:
		found.Needed, found.Summary = false, "not enabled"
	}
	return found, nil
}

func (l *linking) probeMask(s seen, found runtime.Finding) (runtime.Finding, error) {
	masked := s.File == "masked"
	switch {
	case l.verb == mask && masked:
		found.Needed, found.Summary = false, "already masked"
	case l.verb == unmask && !masked:
		found.Needed, found.Summary = false, "not masked"
	case l.verb == mask && s.Fragment == unitPath(l.unit, ""):
		return found, fmt.Errorf("its file is %s, which the mask would take the place of: systemd.remove takes it away, "+
			"systemd.disable and systemd.stop have it not run", s.Fragment)
	case l.verb == mask:
		found.Summary = "make it impossible to start it"
	default:
		found.Summary = "make it possible to start it"
	}
	return found, nil
}
