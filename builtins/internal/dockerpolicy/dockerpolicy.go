// Package dockerpolicy is the permission kind "docker": what a recipe may reach of the Docker engine. The families
// docker, compose and stack share it.
//
// Who may use the engine is root: a container that mounts / and runs privileged does what it likes. So what lets a
// container out of its box is a target of its own, and only what the recipe declares, and the operator's policy allows,
// is given to a container:
//
//	compose:PROJECT        the containers, networks and volumes of a Compose project
//	stack:NAME             the services, networks, configs and secrets of a stack of a swarm
//	image:REF container:NAME network:NAME volume:NAME config:NAME secret:NAME
//	                       one of those; for a project or a stack what was made outside of it
//	host-path:/PATH        mount a path of the host, with all below it
//	privileged:NAME        NAME, a service or container, runs privileged; "privileged" is any
//	capability:NET_ADMIN   a right of the kernel that containers do not have by themselves
//	device:/dev/fuse       a device; "device:gpu" for those that a driver gives, such as a GPU
//	host-network host-pid host-ipc host-uts host-cgroup host-userns   share a namespace of the host
//	socket                 the engine's own socket: root on the host
//	security-opt:VALUE     a security option that loosens something, such as seccomp=unconfined
//	runtime:NAME volume-driver:NAME network-driver:NAME log-driver:NAME
//	                       what runs with root's rights beside the engine; volume-driver:local mounts something of the
//	                       kernel's, such as a file system of the network
//	annotation:NAME        what a runtime is told, which has root's rights
//	cgroup-parent:NAME     a control group of the host, with its limits
//	prune                  removing images that nobody names
//
// Patterns are compared as package policy does it: host-path and device as [policy.Paths], with links followed and all
// that lies below a path; the rest as [policy.Names].
package dockerpolicy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/runtime/policy"
)

// Kind is the name of the permission kind.
const Kind = "docker"

// Socket is the target of the engine's own socket.
const Socket = "socket"

// Need returns the need for a target: Need("capability", "NET_ADMIN") is docker capability:NET_ADMIN, Need("socket", "") is docker
// socket.
func Need(what, name string) policy.Need {
	if name != "" {
		what += ":" + name
	}
	return policy.Need{Kind: Kind, Target: what}
}

// pathPrefixes begin the targets that are paths of the host.
var pathPrefixes = []string{"host-path:", "device:"}

// cutPath splits a target that is a path of the host.
func cutPath(target string) (prefix, path string, ok bool) {
	for _, prefix := range pathPrefixes {
		if path, ok := strings.CutPrefix(target, prefix); ok && strings.HasPrefix(path, "/") {
			return prefix, path, true
		}
	}
	return "", target, false
}

// Prefixes of targets, and targets that are whole words.
var (
	prefixes = []string{
		"compose", "stack", "image", "container", "network", "volume", "config", "secret", "host-path", "privileged", "capability", "device",
		"security-opt", "runtime", "volume-driver", "network-driver", "log-driver", "annotation", "cgroup-parent",
	}
	words = []string{
		"*", "privileged", "host-network", "host-pid", "host-ipc", "host-uts", "host-cgroup", "host-userns", Socket, "prune",
	}
)

// check refuses a pattern that could never match: it would only look as if it allowed, or denied, something.
func check(pattern string) error {
	prefix, rest, cut := strings.Cut(pattern, ":")
	switch {
	case slices.Contains(words, pattern):
		return nil
	case !cut || !slices.Contains(prefixes, prefix):
		return fmt.Errorf("pattern %q: want one of %s, or NAME of one of %s", pattern,
			strings.Join(words, ", "), strings.Join(prefixes, ":NAME, ")+":NAME")
	case rest == "":
		return fmt.Errorf("pattern %q: there is nothing behind the colon", pattern)
	case prefix == "host-path" && !strings.HasPrefix(rest, "/"):
		return fmt.Errorf("pattern %q: a path must be absolute, that is begin with /", pattern)
	}
	return nil
}

// Matcher compares the targets of the kind.
type Matcher struct {
	// Paths is for the targets that are paths of the host.
	Paths policy.Paths
}

type patterns struct {
	names policy.Patterns
	paths map[string]policy.Patterns // by prefix
}

// Compile implements [policy.Matcher].
func (m Matcher) Compile(list []string) (policy.Patterns, error) {
	var names []string
	paths := map[string][]string{}
	for _, text := range list {
		if err := check(text); err != nil {
			return nil, err
		}
		if text == "privileged" {
			names = append(names, "privileged:*")
		}
		if prefix, path, ok := cutPath(text); ok {
			paths[prefix] = append(paths[prefix], path)
		} else {
			names = append(names, text)
		}
	}
	compiled := &patterns{paths: map[string]policy.Patterns{}}
	var err error
	if compiled.names, err = (policy.Names{}).Compile(names); err != nil {
		return nil, err
	}
	for _, prefix := range pathPrefixes {
		if compiled.paths[prefix], err = m.Paths.Compile(paths[prefix]); err != nil {
			return nil, fmt.Errorf("%s… %w", prefix, err)
		}
	}
	return compiled, nil
}

// Covers implements [policy.Patterns].
func (p *patterns) Covers(target string) (bool, string) {
	if prefix, path, ok := cutPath(target); ok {
		return p.paths[prefix].Covers(path)
	}
	return p.names.Covers(target)
}

// Touches implements [policy.Patterns]. A mount gives all that lies below its path, so a denial of something below
// denies the mount.
func (p *patterns) Touches(target string, tree bool) (bool, string) {
	if prefix, path, ok := cutPath(target); ok {
		return p.paths[prefix].Touches(path, true)
	}
	return p.names.Touches(target, tree)
}
