package compose

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/runtime/policy"
)

// buildDemander asks for what the build of one service reads, and for what lets it out of its box.
type buildDemander struct {
	project *project
	name    string
	build   *types.BuildConfig
	need    func(...policy.Need) error

	read []policy.Need // directories that are given to the build
}

// check fails unless the recipe may do all of it.
func (d *buildDemander) check() error {
	for _, part := range []func() error{d.contexts, d.dockerfile, d.secrets, d.network, d.privileges, d.caches} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// ask fails unless the recipe may do what stands at a key of the build.
func (d *buildDemander) ask(key, what string, n policy.Need) error {
	if err := d.need(n); err != nil {
		return fmt.Errorf("%s: service %s %s: %w", d.at(key), d.name, what, err)
	}
	return nil
}

func (d *buildDemander) at(key string) string { return d.project.At("services", d.name, "build", key) }

// refuse says that nothing here can vouch for a key.
func (d *buildDemander) refuse(key, format string, args ...any) error {
	return fmt.Errorf("%s: service %s: %s", d.at(key), d.name, fmt.Sprintf(format, args...))
}

func (d *buildDemander) contexts() error {
	if err := d.context("context", d.build.Context); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(d.build.AdditionalContexts)) {
		if err := d.context("additional_contexts", d.build.AdditionalContexts[name]); err != nil {
			return err
		}
	}
	return nil
}

func (d *buildDemander) context(key, dir string) error {
	if !filepath.IsAbs(dir) {
		return d.refuse(key, "the build context %s is not on this machine: check it out with git.checkout", dir)
	}
	n := policy.Need{Kind: "fs.read", Target: dir}
	d.read = append(d.read, n)
	return d.ask(key, "is built from "+dir, n)
}

// dockerfile may lie outside of the context.
func (d *buildDemander) dockerfile() error {
	file := d.build.Dockerfile
	if file == "" || d.build.DockerfileInline != "" {
		return nil
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(d.build.Context, file)
	}
	return d.ask("dockerfile", "is built by "+file, policy.Need{Kind: "fs.read", Target: file})
}

func (d *buildDemander) secrets() error {
	for _, secret := range d.build.Secrets {
		if file := d.project.Secrets[secret.Source].File; file != "" {
			if err := d.ask("secrets", "is built with "+file, policy.Need{Kind: "fs.read", Target: file}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *buildDemander) network() error {
	mode := d.build.Network
	if other, ok := strings.CutPrefix(mode, "container:"); ok {
		return d.ask("network", "is built in the network of the container "+other, dockerpolicy.Need("container", other))
	}
	switch mode {
	case "", "none", "default", "bridge":
		return nil
	case "host":
		return d.ask("network", "is built in the host's network", dockerpolicy.Need("host-network", ""))
	}
	return d.ask("network", "is built in the network "+mode, dockerpolicy.Need("network", mode))
}

func (d *buildDemander) privileges() error {
	if d.build.Privileged || len(d.build.Entitlements) > 0 {
		if err := d.ask("privileged", "is built with the host's rights", dockerpolicy.Need("privileged", d.name)); err != nil {
			return err
		}
	}
	if len(d.build.SSH) > 0 {
		return d.refuse("ssh", "a build with an SSH agent is not supported")
	}
	return nil
}

// ofRegistry is a cache that is an image.
var ofRegistry = regexp.MustCompile(`^type=registry,ref=[^,=]+$`)

// caches refuses those that are files of this machine, which Compose would read and write with infrarun's rights, and those
// that would be sent somewhere.
func (d *buildDemander) caches() error {
	for _, from := range d.build.CacheFrom {
		if strings.Contains(from, "=") && !ofRegistry.MatchString(from) {
			return d.refuse("cache_from", "a cache from %s is not supported: name an image", from)
		}
	}
	for _, to := range d.build.CacheTo {
		if to != "type=inline" {
			return d.refuse("cache_to", "a cache to %s is not supported, only type=inline", to)
		}
	}
	return nil
}
