package compose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/mount"
)

// differences says why a container is not what its service wants, apart from its image; empty if it is. That it
// differs is known by its label; what differs is read off the container, for the operator. Values of variables and
// labels may be secret: only their names are told.
func differences(p *project, s types.ServiceConfig, r replica, hash string) []string {
	if r.Config.Labels[configLabel] == hash {
		return nil
	}
	var why []string
	add := func(what string, names []string) {
		if len(names) > 0 {
			why = append(why, what+" "+strings.Join(names, ", "))
		}
	}
	add("environment:", changedEnv(s, r))
	add("ports:", changedPorts(s, r))
	add("mounts:", changedMounts(p, s, r))
	if len(s.Command) > 0 && !slices.Equal([]string(s.Command), []string(r.Config.Cmd)) {
		why = append(why, "command")
	}
	if len(s.Entrypoint) > 0 && !slices.Equal([]string(s.Entrypoint), []string(r.Config.Entrypoint)) {
		why = append(why, "entrypoint")
	}
	add("labels:", changedLabels(s, r))
	add("networks:", changedNetworks(p, s, r))
	if s.User != "" && s.User != r.Config.User {
		why = append(why, "user")
	}
	if s.Restart != "" && r.HostConfig != nil && !strings.HasPrefix(s.Restart, string(r.HostConfig.RestartPolicy.Name)) {
		why = append(why, "restart policy")
	}
	switch {
	case len(why) > 0:
	case r.Config.Labels[configLabel] == "":
		why = []string{"it was not brought up by infrarun"}
	default:
		why = []string{"other settings"}
	}
	return why
}

// changedEnv names the variables that differ. Those that come from the image are not known to the service.
func changedEnv(s types.ServiceConfig, r replica) []string {
	has := map[string]string{}
	for _, entry := range r.Config.Env {
		name, value, _ := strings.Cut(entry, "=")
		has[name] = value
	}
	var names []string
	for name, value := range s.Environment {
		if old, ok := has[name]; value != nil && (!ok || old != *value) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// changedLabels names the labels that differ, apart from those of Compose and infrarun.
func changedLabels(s types.ServiceConfig, r replica) []string {
	var names []string
	for name, value := range s.Labels {
		if old, ok := r.Config.Labels[name]; !ok || old != value {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// changedPorts lists the published ports that differ.
func changedPorts(s types.ServiceConfig, r replica) []string {
	want, have := map[string]bool{}, map[string]bool{}
	for _, p := range s.Ports {
		want[fmt.Sprintf("%s%s:%d/%s", address(p.HostIP), p.Published, p.Target, p.Protocol)] = true
	}
	if r.HostConfig != nil {
		for port, bindings := range r.HostConfig.PortBindings {
			for _, b := range bindings {
				have[fmt.Sprintf("%s%s:%s", address(b.HostIP), b.HostPort, port)] = true
			}
		}
	}
	return plusMinus(want, have)
}

// address is what stands before a port: nothing for all addresses.
func address(ip string) string {
	if ip == "" || ip == "0.0.0.0" || ip == "::" {
		return ""
	}
	return ip + ":"
}

// changedMounts lists the places in the container that are mounted otherwise. Volumes without a name are not among them.
func changedMounts(p *project, s types.ServiceConfig, r replica) []string {
	want, have := map[string]bool{}, map[string]bool{}
	for _, v := range s.Volumes {
		switch {
		case v.Type == types.VolumeTypeBind:
			want[v.Source+" at "+v.Target] = true
		case v.Type == types.VolumeTypeVolume && v.Source != "":
			want[p.Volumes[v.Source].Name+" at "+v.Target] = true
		}
	}
	given := p.GivenFiles(s)
	for _, m := range r.Mounts {
		switch {
		case m.Type == mount.TypeBind && !slices.Contains(given, m.Source):
			have[m.Source+" at "+m.Destination] = true
		case m.Type == mount.TypeVolume && !isAnonymous(m.Name):
			have[m.Name+" at "+m.Destination] = true
		}
	}
	return plusMinus(want, have)
}

// isAnonymous reports whether the engine made up the name of a volume.
func isAnonymous(volume string) bool {
	return len(volume) == 64 && strings.Trim(volume, "0123456789abcdef") == ""
}

// changedNetworks lists the networks that are joined or left.
func changedNetworks(p *project, s types.ServiceConfig, r replica) []string {
	if r.NetworkSettings == nil || s.NetworkMode != "" {
		return nil
	}
	want, have := map[string]bool{}, map[string]bool{}
	for key := range s.Networks {
		want[p.Networks[key].Name] = true
	}
	for name := range r.NetworkSettings.Networks {
		have[name] = true
	}
	return plusMinus(want, have)
}

// plusMinus lists what is only in want with a plus and what is only in have with a minus.
func plusMinus(want, have map[string]bool) []string {
	var list []string
	for _, w := range slices.Sorted(maps.Keys(want)) {
		if !have[w] {
			list = append(list, "+"+w)
		}
	}
	for _, h := range slices.Sorted(maps.Keys(have)) {
		if !want[h] {
			list = append(list, "-"+h)
		}
	}
	return list
}
