package compose

import (
	"fmt"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// simplify leaves out of a service what says nothing and what Compose 1 does not know.
func simplify(s map[string]any) {
	for key, value := range s {
		if value == nil || strings.HasPrefix(key, "x-") {
			delete(s, key)
		}
	}
	if s["scale"] == 1 {
		delete(s, "scale")
	}
	if deploy, ok := s["deploy"].(map[string]any); ok {
		for _, key := range []string{"resources", "placement"} {
			if m, ok := deploy[key].(map[string]any); ok && len(m) == 0 {
				delete(deploy, key)
			}
		}
		if len(deploy) == 0 {
			delete(s, "deploy")
		}
	}
	if needs, ok := s["depends_on"].(map[string]any); ok {
		simplifyNeeds(s, needs)
	}
	if ports, ok := s["ports"].([]any); ok {
		for i, port := range ports {
			ports[i] = shortPort(port)
		}
	}
	if env, ok := s["environment"].(map[string]any); ok {
		for name, value := range env {
			if value == nil {
				delete(env, name) // Compose would look for it in its own environment
			}
		}
	}
	if volumes, ok := s["volumes"].([]any); ok {
		for i, v := range volumes {
			volumes[i] = shortVolume(v)
		}
	}
}

// shortPort writes a port as 127.0.0.1:8080:80/tcp: Compose 1 does not know the address in the long form.
func shortPort(v any) any {
	port, ok := v.(map[string]any)
	if !ok {
		return v
	}
	text := fmt.Sprintf("%v/%v", port["target"], port["protocol"])
	if published, _ := port["published"].(string); published != "" {
		text = published + ":" + text
	}
	ip, _ := port["host_ip"].(string)
	if ip == "" {
		return text
	}
	if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	if port["published"] == nil {
		text = ":" + text
	}
	return ip + ":" + text
}

// simplifyNeeds leaves out what a service needs because it is bound to it: every Compose finds that out by itself, and version 1
// does not know restart.
func simplifyNeeds(s, needs map[string]any) {
	bound := map[any]bool{}
	for _, key := range []string{"network_mode", "ipc", "pid"} {
		mode, _ := s[key].(string)
		if other, ok := strings.CutPrefix(mode, types.ServicePrefix); ok {
			bound[other] = true
		}
	}
	links, _ := s["links"].([]any)
	for _, link := range links {
		text, _ := link.(string)
		other, _, _ := strings.Cut(text, ":")
		bound[other] = true
	}
	for name, n := range needs {
		n, _ := n.(map[string]any)
		if n["required"] == true {
			delete(n, "required")
		}
		if bound[name] && len(n) == 2 && n["condition"] == types.ServiceConditionStarted && n["restart"] == true {
			delete(needs, name)
		}
	}
	if len(needs) == 0 {
		delete(s, "depends_on")
	}
}

// shortVolume leaves out the empty sections of a volume, and writes a path of this machine as /path:/target, if that says it
// all: Compose 1 makes a path that is not there only if it is written so.
func shortVolume(v any) any {
	volume, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for _, key := range []string{"bind", "volume", "tmpfs"} {
		if m, ok := volume[key].(map[string]any); ok && len(m) == 0 {
			delete(volume, key)
		}
	}
	known := 3
	text := fmt.Sprintf("%v:%v", volume["source"], volume["target"])
	plain := strings.Count(text, ":") == 1
	if volume["read_only"] == true {
		known++
		text += ":ro"
	}
	if volume["type"] != types.VolumeTypeBind || !plain || len(volume) != known {
		return volume
	}
	return text
}
