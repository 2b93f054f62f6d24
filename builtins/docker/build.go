package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/docker/docker/api/types/registry"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type buildArgs struct {
	Context    string            `arg:"context" doc:"the directory to build from; what its .dockerignore names is left out"`
	Tag        string            `arg:"tag" doc:"the name that the image gets, such as app:1.4"`
	Dockerfile string            `arg:"dockerfile" default:"Dockerfile" doc:"the Dockerfile, relative to context and inside of it"`
	Args       runtime.StringMap `arg:"args" default:"" doc:"values of its ARGs. They can be read from the image: no secrets"`
	Target     string            `arg:"target" default:"" doc:"the stage to build; by default the last"`
	Labels     runtime.StringMap `arg:"labels" default:"" doc:"labels of the image"`
	Registry   string            `arg:"registry" default:"" doc:"the registry that username and password, or token, are for: those of base images that are not here yet"`
	login
}

var buildBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.build", Returns: "as docker.image", Undo: runtime.Exact,
	Permission: "`docker` on image:tag, `fs.read` on context, `net` on the registries of base images that are not here",
	Doc: "Builds an image from a Dockerfile, and shows what the build prints. The image remembers from what it was built, in a " +
		"label: if context, Dockerfile, arguments and base images are the same nothing is to do. Base images that are not " +
		"here are pulled first. It is the engine's classic builder: what only BuildKit knows, such as RUN --mount, fails. " +
		"Undo has the name lead to the image to which it led, which is kept until then; a build that fails changes nothing.",
	Example: `docker.build(release, tag = "app:" + commit, args = {"BASE": "registry.example:5000/go:1.26"})`,
}, func(c *runtime.Call, a buildArgs) (starlark.Value, error) {
	ref, err := imageref.Parse(a.Tag)
	if err == nil {
		err = ref.Tagged()
	}
	if err != nil {
		return nil, err
	}
	auth, err := a.config(c)
	if err != nil {
		return nil, err
	}
	if !filepath.IsLocal(a.Dockerfile) {
		return nil, fmt.Errorf("dockerfile %q must be inside of the context, and relative to it", a.Dockerfile)
	}
	b := &build{ref: ref.Name, dir: filesys.Abs(c.BaseDir(), a.Context), args: a, auth: auth}
	if err := c.Need(b.Describe().Needs...); err != nil {
		return nil, err
	}
	// Looked at before the door, since what is missing decides about permissions.
	if b.found, err = looking(c.Context(), c.Reader(), func(e *engine.Client) (runtime.Finding, error) { return b.look(c.Context(), e, c.Reader()) }); err != nil {
		return nil, fmt.Errorf("%s: %w", b.ref, err)
	}
	if b.found.Needed {
		for _, ref := range b.missing {
			if err := c.Need(ref.NeedRegistry()); err != nil {
				return nil, fmt.Errorf("base image %s: %w", ref.Name, err)
			}
		}
	}
	return c.Do(b)
})

// build is the change that builds an image.
type build struct {
	ref  string
	dir  string
	args buildArgs
	auth *registry.AuthConfig

	unknown string         // why a preview cannot know what is built; "" if it can
	bases   []string       // what it begins from
	missing []imageref.Ref // those of them that are not on this machine
	found   runtime.Finding
	context *buildContext
	digest  string
	before  *engine.Refs
}

// Describe implements [runtime.Change].
func (b *build) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.build", Target: b.ref, Undo: runtime.Exact,
		Needs: needs(needImage(b.ref), policy.Need{Kind: "fs.read", Target: b.dir}),
	}
}

// findBases reads from which images the Dockerfile begins, and which of them are not on this machine.
func (b *build) findBases(ctx context.Context, e *engine.Client, r *runtime.Reader) error {
	file := filepath.Join(b.dir, b.args.Dockerfile)
	text, err := filesys.Read(r).ReadFile(file, maxDockerfile)
	var unknown *runtime.UnknownError
	switch {
	case errors.As(err, &unknown):
		b.unknown = file + " is not there yet as it will be"
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no %s; dockerfile = names another", file)
	case err != nil:
		return err
	}
	if b.bases, err = bases(string(text), b.args.Args); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, name := range b.bases {
		img, err := e.SeeImage(ctx, r, name)
		if err != nil {
			return err
		}
		if ref, err := imageref.Parse(name); err == nil && !img.There() {
			b.missing = append(b.missing, ref)
		}
	}
	return nil
}

// Probe implements [runtime.Change].
func (b *build) Probe(context.Context, *runtime.Reader) (runtime.Finding, error) { return b.found, nil }

// look finds out whether there is anything to build.
func (b *build) look(ctx context.Context, e *engine.Client, r *runtime.Reader) (runtime.Finding, error) {
	found := runtime.Finding{Needed: true, Summary: "build from " + b.dir}
	if err := b.findBases(ctx, e, r); err != nil {
		return found, err
	}
	now, err := e.SeeImage(ctx, r, b.ref)
	if err != nil {
		return found, err
	}
	v := filesys.Read(r)
	if b.unknown == "" && r.Preview() {
		b.unknown = predictedBelow(ctx, v, b.dir)
	}
	if b.unknown != "" {
		found.Assumed = fmt.Sprintf("%s can be built (%s)", b.ref, b.unknown)
		return found, nil
	}
	if b.context, err = openContext(v, b.dir, b.args.Dockerfile); err != nil {
		return found, err
	}
	if b.digest, err = b.digestOf(ctx); err != nil || now.InspectResponse == nil {
		return found, err
	}
	why, err := b.differs(ctx, e, r, now)
	if err != nil {
		return found, err
	}
	found.Summary += ", since " + why
	if why == "" {
		found.Needed, found.Summary, found.Value = false, "built from the same", imageValue(b.ref, now.InspectResponse)
	}
	return found, nil
}

// predictedBelow says what of a directory is not there yet as it will be, "" if all is.
func predictedBelow(ctx context.Context, v *filesys.View, dir string) string {
	why := ""
	err := v.Walk(ctx, dir, func(i filesys.Info) error {
		if v.Predicted(i.Path) {
			why = i.Path + " is not there yet as it will be"
			return fs.SkipAll
		}
		return nil
	})
	if err != nil && why == "" && !errors.Is(err, fs.SkipAll) {
		why = dir + " is not there yet as it will be"
	}
	return why
}

// Undo implements [runtime.Change].
func (b *build) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	refs := []string{b.ref}
	for _, ref := range b.missing {
		refs = append(refs, ref.Name)
	}
	b.before, err = engine.KeepRefs(ctx, k, refs...)
	return undoOfRef(b.before), err
}

// Predict implements [runtime.Change].
func (b *build) Predict(w *runtime.World) (starlark.Value, error) {
	images := engine.PredictedImages(w)
	images.Bring(b.ref, "docker.build")
	for _, ref := range b.missing {
		images.Bring(ref.Name, "docker.build")
	}
	return imageGuess(b.ref, "docker.build"), nil
}

// authFor is who asks to ask for a base image.
func (b *build) authFor(ref imageref.Ref) *registry.AuthConfig {
	if b.args.Registry == "" || strings.TrimSuffix(ref.Registry, ":443") != strings.TrimSuffix(b.args.Registry, ":443") {
		return nil
	}
	return b.auth
}
