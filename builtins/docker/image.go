package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/image"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
)

type imageArgs struct {
	Ref string `arg:"ref" doc:"its name, such as registry.example:5000/app:1.4, or its id; without a tag that of the tag latest"`
}

var imageBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.image", Permission: imagePermission,
	Returns: "struct(ref, id, tags, digests, created, size, labels, env, user, ports, healthcheck), or None: size in bytes, env as " +
		"KEY=value, ports as \"8080/tcp\", healthcheck as the command of one, or an empty list",
	Doc:     "Looks at an image that is on this machine. In a preview that brings or makes the image only ref is known.",
	Example: `if docker.image("app:1.4") == None:` + "\n" + `    docker.build(".", tag = "app:1.4")`,
}, func(c *runtime.Call, a imageArgs) (starlark.Value, error) {
	ref, err := refOrID(a.Ref)
	if err != nil {
		return nil, err
	}
	if err := c.Need(needImage(ref)); err != nil {
		return nil, err
	}
	return withEngine(c, func(ctx context.Context, e *engine.Client) (starlark.Value, error) {
		found, err := e.SeeImage(ctx, c.Reader(), ref)
		switch {
		case err != nil:
			return nil, err
		case found.Predicted:
			return imageGuess(ref, found.By), nil
		case found.InspectResponse == nil:
			return starlark.None, nil
		}
		return imageValue(ref, found.InspectResponse), nil
	})
})

const imagePermission = "`docker` on image:ref"

// refOrID reads the name of an image, or its id as it is.
func refOrID(text string) (string, error) {
	if strings.HasPrefix(text, "sha256:") {
		return text, nil
	}
	r, err := imageref.Parse(text)
	return r.Name, err
}

var imageFields = []string{"ref", "id", "tags", "digests", "created", "size", "labels", "env", "user", "ports", "healthcheck"}

func imageGuess(ref, by string) starlark.Value {
	return partial(fmt.Sprintf("image %s, which %s brings,", ref, by), imageFields, starlark.StringDict{"ref": starlark.String(ref)})
}

func imageValue(ref string, img *image.InspectResponse) starlark.Value {
	fields := starlark.StringDict{
		"ref": starlark.String(ref), "id": starlark.String(img.ID), "tags": listOf(withoutKept(img.RepoTags)),
		"digests": listOf(img.RepoDigests), "created": starlark.String(img.Created), "size": starlark.MakeInt64(img.Size),
		"labels": dictOf(nil), "env": listOf(nil), "user": starlark.String(""), "ports": listOf(nil), "healthcheck": listOf(nil),
	}
	if c := img.Config; c != nil {
		fields["labels"], fields["env"], fields["user"] = dictOf(c.Labels), listOf(c.Env), starlark.String(c.User)
		fields["ports"] = listOf(sortedKeys(c.ExposedPorts))
		if c.Healthcheck != nil {
			fields["healthcheck"] = listOf(c.Healthcheck.Test)
		}
	}
	return structOf(fields)
}

// withoutKept leaves out the tags by which runs hold an image.
func withoutKept(tags []string) []string {
	return slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return engine.KeptBy(tag) != "" })
}
