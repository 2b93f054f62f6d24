package filesys

import (
	"fmt"
	"path/filepath"

	"github.com/infrarun/infrarun/runtime/policy"
)

// Needs is the permission that a path takes: none in a private directory of the run, and in a preview also that for where
// predicted links lead, which the policy cannot see.
func (v *View) Needs(kind, path string) []policy.Need {
	if v.InTemp(path) {
		return nil
	}
	needs := []policy.Need{{Kind: kind, Target: path}}
	if real := v.Redirect(path); real != path {
		needs = append(needs, policy.Need{Kind: kind, Target: real})
	}
	return needs
}

// DirAbove fails unless the directory of a path is there, for a change that does not make it.
func (v *View) DirAbove(path string) error {
	dir := filepath.Dir(path)
	info, err := v.Stat(dir)
	switch {
	case isNotExist(err):
		return fmt.Errorf("the directory %s does not exist; make it with fs.mkdir", dir)
	case err != nil:
		return err
	case info.Kind != Dir:
		return fmt.Errorf("%s is no directory", dir)
	}
	return nil
}
