package compose

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// checkVolumes fails if a volume that a service is to have is there with another driver or other options: it is never
// replaced, since what it holds would be lost, and a container that is made anew has it as it is.
func (pl *planner) checkVolumes(ctx context.Context, e *engine.Client) error {
	wanted := map[string]bool{}
	for _, name := range pl.services() {
		for _, v := range pl.project.Services[name].Volumes {
			if v.Type == types.VolumeTypeVolume && v.Source != "" && !bool(pl.project.Volumes[v.Source].External) {
				wanted[v.Source] = true
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		want := pl.project.Volumes[key]
		is, err := e.VolumeInspect(ctx, want.Name)
		switch {
		case err != nil && absent(err):
			continue
		case err != nil:
			return fmt.Errorf("volume %s: %w", want.Name, engine.Explain(ctx, err))
		}
		driver := want.Driver
		if driver == "" {
			driver = "local"
		}
		if is.Driver != driver || !maps.Equal(is.Options, map[string]string(want.DriverOpts)) {
			return fmt.Errorf("%s: volume %s is there with driver %s and options %v: what it holds would be lost, so it is not "+
				"replaced; give it another name, or remove it", pl.project.At("volumes", key), want.Name, is.Driver, is.Options)
		}
	}
	return nil
}
