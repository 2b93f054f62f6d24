package runtime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/infrarun/infrarun/runtime/diag"
)

// Host is what runs recipes: the families of builtins and the modules that come with infrarun.
type Host struct {
	Version string

	reg     *registry
	stdlib  fs.FS
	recipes fs.FS
	dir     string // the working directory when infrarun was started
}

// NewHost returns a host with these families, standard library and built-in recipes. Families are in
// the order in which the documentation shows them.
func NewHost(version string, families []*Family, stdlib, recipes fs.FS) (*Host, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the working directory: %w", err)
	}
	reg, err := newRegistry(append(kernelFamilies(), families...))
	if err != nil {
		return nil, err
	}
	return &Host{Version: version, reg: reg, stdlib: stdlib, recipes: recipes, dir: dir}, nil
}

// Families returns all families, the runtime's own first.
func (h *Host) Families() []*Family { return h.reg.families }

// EmbeddedRecipes returns the recipes that come with infrarun.
func (h *Host) EmbeddedRecipes() fs.FS { return h.recipes }

func (h *Host) stdlibRoot() *sourceRoot {
	return &sourceRoot{key: stdlibKey, shown: stdlibPrefix, fsys: h.stdlib, kind: "embedded"}
}

// locate finds the recipe that an operator named: the file on disk if it is there, else the embedded
// one of that name.
func (h *Host) locate(name string) (*sourceRoot, moduleID, error) {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil, moduleID{}, fmt.Errorf("recipe %s is a directory; name a .star file in it", name)
	case err == nil:
		r, err := diskRoot(recipeKey, filepath.Dir(name))
		if err != nil {
			return nil, moduleID{}, fmt.Errorf("recipe %s: %w", name, err)
		}
		return r, moduleID{recipeKey, filepath.Base(name)}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, moduleID{}, fmt.Errorf("recipe %s: %w", name, err)
	}
	inside := strings.TrimPrefix(filepath.ToSlash(filepath.Clean(name)), "recipes/")
	if info, err := fs.Stat(h.recipes, inside); err == nil && info.Mode().IsRegular() {
		r := &sourceRoot{key: recipeKey, shown: "recipes/", fsys: h.recipes, kind: "embedded"}
		return r, moduleID{recipeKey, inside}, nil
	}
	return nil, moduleID{}, &noRecipeError{name, diag.DidYouMean(inside, h.embedded())}
}

// locateSite finds a site file: on disk, or among the built-in ones.
func (h *Host) locateSite(name string) (*sourceRoot, moduleID, error) {
	r, id, err := h.locate(name)
	var none *noRecipeError
	if errors.As(err, &none) {
		return nil, moduleID{}, fmt.Errorf("there is no site file %s%s", name, none.suggestion)
	} else if err != nil {
		return nil, moduleID{}, fmt.Errorf("site file: %w", err)
	}
	r.key = siteKey
	return r, moduleID{siteKey, id.path}, nil
}

// noRecipeError is a recipe that is neither on disk nor embedded.
type noRecipeError struct{ name, suggestion string }

// ErrNoRecipe is matched by the error for a recipe that is neither on disk nor built in.
var ErrNoRecipe = errors.New("no such recipe")

// Is implements the interface that errors.Is asks for.
func (e *noRecipeError) Is(target error) bool { return target == ErrNoRecipe }

func (e *noRecipeError) Error() string {
	return fmt.Sprintf("there is no recipe %s, on disk or built in%s", e.name, e.suggestion)
}

// embedded lists the recipes that come with infrarun.
func (h *Host) embedded() []string {
	names, _ := fs.Glob(h.recipes, "*.star")
	return names
}
