package stack

import (
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// mounts are what a container finds in its file system beside its image.
func (d *definer) mounts(s types.ServiceConfig) ([]mount.Mount, error) {
	var all []mount.Mount
	for _, v := range s.Volumes {
		if err := d.checkMount(v); err != nil {
			return nil, &keyError{"volumes", err}
		}
		m := mount.Mount{Type: mount.Type(v.Type), Source: v.Source, Target: v.Target, ReadOnly: v.ReadOnly}
		switch v.Type {
		case types.VolumeTypeBind:
			if v.Bind != nil && v.Bind.Propagation != "" {
				m.BindOptions = &mount.BindOptions{Propagation: mount.Propagation(v.Bind.Propagation)}
			}
		case types.VolumeTypeVolume:
			d.volume(&m, v)
		case types.VolumeTypeTmpfs:
			if v.Tmpfs != nil {
				m.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: int64(v.Tmpfs.Size), Mode: os.FileMode(v.Tmpfs.Mode)}
			}
		default:
			return nil, &keyError{"volumes", fmt.Errorf("a mount of type %s is not supported", v.Type)}
		}
		all = append(all, m)
	}
	for _, path := range s.Tmpfs {
		path, options, _ := strings.Cut(path, ":")
		if options != "" {
			return nil, &keyError{"tmpfs", fmt.Errorf("tmpfs %s: options are not supported here; write it below volumes, with type: tmpfs", path)}
		}
		all = append(all, mount.Mount{Type: mount.TypeTmpfs, Target: path})
	}
	return all, nil
}

// checkMount refuses what would be left out, and what nobody can judge: a swarm fills in templates when it makes a task,
// and they can compute any path of the machine.
func (d *definer) checkMount(v types.ServiceVolumeConfig) error {
	sources := []string{}
	if v.Type == types.VolumeTypeBind {
		sources = append(sources, v.Source)
	}
	if v.Type == types.VolumeTypeVolume {
		for _, option := range d.project.Volumes[v.Source].DriverOpts {
			sources = append(sources, option)
		}
	}
	for _, source := range sources {
		if strings.Contains(source, "{{") {
			return fmt.Errorf("the mount on %s is of a path with a template, %s: write the path as it is", v.Target, source)
		}
	}
	for option, has := range map[string]bool{
		"bind, selinux":   v.Bind != nil && v.Bind.SELinux != "",
		"bind, recursive": v.Bind != nil && v.Bind.Recursive != "",
		"volume, labels":  v.Volume != nil && len(v.Volume.Labels) > 0,
		"volume, subpath": v.Volume != nil && v.Volume.Subpath != "",
	} {
		if has {
			return fmt.Errorf("the mount on %s cannot have %s here", v.Target, option)
		}
	}
	return nil
}

// volume completes the mount of a volume, which each machine makes for itself when the first task needs it.
func (d *definer) volume(m *mount.Mount, v types.ServiceVolumeConfig) {
	options := &mount.VolumeOptions{}
	if v.Volume != nil {
		options.NoCopy = v.Volume.NoCopy
	}
	if v.Source != "" {
		named := d.project.Volumes[v.Source]
		m.Source = named.Name
		if !named.External {
			options.Labels = d.labels(named.Labels)
			if named.Driver != "" || len(named.DriverOpts) > 0 {
				options.DriverConfig = &mount.Driver{Name: named.Driver, Options: named.DriverOpts}
			}
		}
	}
	m.VolumeOptions = options
}

// fileMode is that of a config or secret where the compose file says nothing.
const fileMode os.FileMode = 0o444

// given adds the configs and secrets that a container is given.
func (d *definer) given(c *swarm.ContainerSpec, s types.ServiceConfig) {
	for _, ref := range s.Configs {
		name, target := d.files[string(configKind)+" "+ref.Source], ref.Target
		if target == "" {
			target = "/" + ref.Source
		}
		c.Configs = append(c.Configs, &swarm.ConfigReference{ConfigName: name, File: &swarm.ConfigReferenceFileTarget{
			Name: target, UID: orZero(ref.UID), GID: orZero(ref.GID), Mode: modeOf(ref.Mode),
		}})
	}
	for _, ref := range s.Secrets {
		name, target := d.files[string(secretKind)+" "+ref.Source], ref.Target
		if target == "" {
			target = ref.Source
		}
		c.Secrets = append(c.Secrets, &swarm.SecretReference{SecretName: name, File: &swarm.SecretReferenceFileTarget{
			Name: target, UID: orZero(ref.UID), GID: orZero(ref.GID), Mode: modeOf(ref.Mode),
		}})
	}
}

func orZero(id string) string {
	if id == "" {
		return "0"
	}
	return id
}

func modeOf(m *types.FileMode) os.FileMode {
	if m == nil {
		return fileMode
	}
	return os.FileMode(*m)
}
