package docker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/runtime/policy"
)

func needImage(ref string) policy.Need      { return dockerpolicy.Need("image", ref) }
func needContainer(name string) policy.Need { return dockerpolicy.Need("container", name) }
func needNetwork(name string) policy.Need   { return dockerpolicy.Need("network", name) }
func needVolume(name string) policy.Need    { return dockerpolicy.Need("volume", name) }

// imageRef is the name of an image.
type imageRef struct {
	ref      string // as docker shows it: app:1.4
	registry string // host:port
	repo     string // without the tag
}

// dockerHub is where images are whose names have no registry.
const dockerHub = "registry-1.docker.io:443"

// parseRef reads the name of an image; one without a tag is that of the tag latest.
func parseRef(text string) (imageRef, error) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return imageRef{}, fmt.Errorf("%q is no name of an image such as registry.example:5000/app:1.4: %w", text, err)
	}
	named = reference.TagNameOnly(named)
	r := imageRef{ref: reference.FamiliarString(named), repo: reference.FamiliarName(named), registry: reference.Domain(named)}
	switch {
	case r.registry == "docker.io":
		r.registry = dockerHub
	case !strings.Contains(strings.TrimPrefix(r.registry, "["), ":") || strings.HasSuffix(r.registry, "]"):
		r.registry += ":443"
	}
	return r, nil
}

// tagged fails for a name with a digest, which an image cannot be given.
func (r imageRef) tagged() error {
	if strings.Contains(r.ref, "@") {
		return fmt.Errorf("%s has a digest: an image can be given a tag only, such as %s:1.4", r.ref, r.repo)
	}
	return nil
}

func (r imageRef) needRegistry() policy.Need { return policy.Need{Kind: "net", Target: r.registry} }

// needs is a list of permissions without those that are there twice.
func needs(list ...policy.Need) []policy.Need {
	var unique []policy.Need
	for _, n := range list {
		if !slices.Contains(unique, n) {
			unique = append(unique, n)
		}
	}
	return unique
}
