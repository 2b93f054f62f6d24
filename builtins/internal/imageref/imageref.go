// Package imageref reads the names of images, for the families of builtins that use them.
//
//	ref, err := imageref.Parse("registry.example:5000/app")
//	ref.Name      // "registry.example:5000/app:latest", as docker shows it
//	ref.Registry  // "registry.example:5000", to which permission is needed
//	ref.Repo      // "registry.example:5000/app"
//
// It never asks an engine, nor a registry: which image a name leads to is in package engine.
package imageref

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"github.com/infrarun/infrarun/runtime/policy"
)

// DockerHub is where images are whose names have no registry.
const DockerHub = "registry-1.docker.io:443"

// Ref is the name of an image.
type Ref struct {
	Name     string // as docker shows it: app:1.4
	Registry string // host:port
	Repo     string // without the tag
}

// Parse reads the name of an image; one without a tag is that of the tag latest.
func Parse(text string) (Ref, error) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return Ref{}, fmt.Errorf("%q is no name of an image such as registry.example:5000/app:1.4: %w", text, err)
	}
	named = reference.TagNameOnly(named)
	r := Ref{Name: reference.FamiliarString(named), Repo: reference.FamiliarName(named), Registry: reference.Domain(named)}
	switch {
	case r.Registry == "docker.io":
		r.Registry = DockerHub
	case !strings.Contains(strings.TrimPrefix(r.Registry, "["), ":") || strings.HasSuffix(r.Registry, "]"):
		r.Registry += ":443"
	}
	return r, nil
}

// HasDigest reports whether the name says which content it has.
func (r Ref) HasDigest() bool { return strings.Contains(r.Name, "@") }

// Tagged fails for a name with a digest, which an image cannot be given.
func (r Ref) Tagged() error {
	if r.HasDigest() {
		return fmt.Errorf("%s has a digest: an image can be given a tag only, such as %s:1.4", r.Name, r.Repo)
	}
	return nil
}

// NeedRegistry is the permission to ask the registry.
func (r Ref) NeedRegistry() policy.Need { return policy.Need{Kind: "net", Target: r.Registry} }

// Shown is the name of an image as docker shows it, with its tag. What is no name, such as an id, stays.
func Shown(image string) string {
	r, err := Parse(image)
	if err != nil {
		return image
	}
	return r.Name
}

// Short is the beginning of an id or a digest, as docker shows it.
func Short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}
