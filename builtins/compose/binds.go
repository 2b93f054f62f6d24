package compose

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// missingDirs lists the directories that the engine makes because a container is to have them and they are not there, outermost
// first. Those of an engine on another machine are not known.
func (u *up) missingDirs(e *engine.Client, v *filesys.View) ([]string, error) {
	if !strings.HasPrefix(e.DaemonHost(), "unix://") {
		return nil, nil
	}
	var all []string
	plain, force := u.plan.services()
	for _, name := range append(plain, force...) {
		for _, m := range u.project.Services[name].Volumes {
			if m.Type != types.VolumeTypeBind || m.Bind != nil && !bool(m.Bind.CreateHostPath) {
				continue
			}
			if _, err := v.Stat(m.Source); !errors.Is(err, fs.ErrNotExist) {
				continue // what cannot be looked at, the engine may be able to mount
			}
			dirs, err := v.MissingDirs(m.Source)
			if err != nil {
				return nil, err
			}
			all = append(all, dirs...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
