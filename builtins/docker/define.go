package docker

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime/policy"
)

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]+$`)

// checkName refuses what cannot be the name of a container, network or volume.
func checkName(what, name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("%q is no name of a %s: that is two or more letters, digits and _.-, and begins with a letter or digit", name, what)
	}
	return nil
}

// define makes a definition of what a recipe gave. The variables of env_file are not in it yet.
func (a runArgs) define(base string) (definition, error) {
	ref, err := refOrID(a.Image)
	if err != nil {
		return definition{}, err
	}
	d := definition{
		Image: ref, Command: a.Command, Entrypoint: a.Entrypoint, Ports: sorted(a.Ports), Tmpfs: sorted(a.Tmpfs),
		Labels: a.Labels, Network: a.Network, Aliases: sorted(a.Aliases), User: a.User, Workdir: a.Workdir,
		Hostname: a.Hostname, ExtraHosts: sorted(a.ExtraHosts), ReadOnly: a.ReadOnly, Init: a.Init, Privileged: a.Privileged,
		CapAdd: capabilities(a.CapAdd), CapDrop: capabilities(a.CapDrop), Memory: int64(a.Memory), CPUs: float64(a.CPUs),
		Stop: int(a.StopTimeout.Seconds()),
	}
	if a.Health.Test != nil {
		d.Health = &a.Health
	}
	if d.Network == "" {
		d.Network = "default"
	}
	if strings.HasPrefix(d.Network, "container:") {
		return d, errors.New("network: that of another container cannot be shared by docker.run")
	}
	if len(d.Aliases) > 0 && slices.Contains([]string{"default", "bridge", "host", "none"}, d.Network) {
		return d, errors.New("aliases need a network of their own; docker.network makes one")
	}
	if d.Restart, err = restartPolicy(a.Restart); err != nil {
		return d, err
	}
	for _, text := range a.Volumes {
		m, err := parseVolume(base, text)
		if err != nil {
			return d, err
		}
		d.Volumes = append(d.Volumes, m)
	}
	slices.SortFunc(d.Volumes, func(a, b mount.Mount) int { return strings.Compare(a.Target, b.Target) })
	for name := range a.Labels {
		if strings.HasPrefix(name, "infrarun.") {
			return d, fmt.Errorf("labels: %s: names that begin with infrarun. are infrarun's own", name)
		}
	}
	d.Env, err = environment(a.Env)
	if err == nil {
		_, _, err = d.published()
	}
	return d, err
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// capabilities writes the names of rights in one way: SYS_ADMIN.
func capabilities(list []string) []string {
	var all []string
	for _, c := range list {
		all = append(all, strings.TrimPrefix(strings.ToUpper(c), "CAP_"))
	}
	slices.Sort(all)
	return all
}

func environment(vars map[string]string) ([]string, error) {
	var all []string
	for _, name := range sortedKeys(vars) {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(vars[name], "\x00") {
			return nil, fmt.Errorf("env: %q cannot be a variable", name)
		}
		all = append(all, name+"="+vars[name])
	}
	return all, nil
}

// restartPolicy reads no, always, unless-stopped, on-failure or on-failure:5.
func restartPolicy(text string) (container.RestartPolicy, error) {
	name, count, counted := strings.Cut(text, ":")
	p := container.RestartPolicy{Name: container.RestartPolicyMode(name)}
	if counted {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || !p.IsOnFailure() {
			return p, fmt.Errorf("restart: %q is no policy: only on-failure takes a number, as in on-failure:5", text)
		}
		p.MaximumRetryCount = n
	}
	if !p.IsNone() && !p.IsAlways() && !p.IsUnlessStopped() && !p.IsOnFailure() {
		return p, fmt.Errorf("restart: %q is no policy: it is no, always, unless-stopped or on-failure", text)
	}
	return p, nil
}

// parseVolume reads name:/path, /host/path:/path or ./path:/path, with :ro or :rw at the end.
func parseVolume(base, text string) (mount.Mount, error) {
	parts := strings.Split(text, ":")
	bad := fmt.Errorf("volumes: %q is not NAME:/PATH or /HOST/PATH:/PATH, with :ro at the end if it is only read", text)
	m := mount.Mount{Type: mount.TypeVolume}
	if len(parts) == 3 {
		if parts[2] != "ro" && parts[2] != "rw" {
			return m, bad
		}
		m.ReadOnly = parts[2] == "ro"
		parts = parts[:2]
	}
	if len(parts) != 2 || !path.IsAbs(parts[1]) {
		return m, bad
	}
	m.Source, m.Target = parts[0], path.Clean(parts[1])
	if m.Target == "/" {
		return m, bad
	}
	if strings.HasPrefix(m.Source, "/") || strings.HasPrefix(m.Source, ".") {
		m.Type, m.Source = mount.TypeBind, filepath.Clean(filesys.Abs(base, m.Source))
		return m, nil
	}
	if checkName("volume", m.Source) != nil {
		return m, bad
	}
	return m, nil
}

// needs lists the permissions that it takes to run a container.
func (d definition) needs(name string) []policy.Need {
	list := []policy.Need{needContainer(name), needImage(d.Image)}
	add := func(what, which string) { list = append(list, dockerpolicy.Need(what, which)) }
	switch d.Network {
	case "host":
		add("host-network", "")
	case "default", "bridge", "none":
	default:
		list = append(list, needNetwork(d.Network))
	}
	for _, m := range d.Volumes {
		if m.Type == mount.TypeVolume {
			list = append(list, needVolume(m.Source))
			continue
		}
		add("host-path", m.Source)
		if engine.HoldsSocket(m.Source) {
			add(dockerpolicy.Socket, "")
		}
	}
	if d.Privileged {
		add("privileged", name)
	}
	for _, c := range d.CapAdd {
		add("capability", c)
	}
	return needs(list...)
}
