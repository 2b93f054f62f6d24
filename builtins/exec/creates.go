package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/fileundo"
	"github.com/infrarun/infrarun/runtime"
)

// created is a path that a command makes.
type created struct {
	path    string
	dir     bool     // its caller says that it is a directory
	missing bool     // it is not there yet
	above   []string // the directories above it that are not there either, outermost first
}

func anyMissing(all []created) bool {
	return slices.ContainsFunc(all, func(c created) bool { return c.missing })
}

// look finds out which of the paths are missing. Doubt says what a preview cannot know about that.
func (cmd *command) look(v *filesys.View) (doubt string, err error) {
	for i := range cmd.creates {
		c := &cmd.creates[i]
		info, err := v.Stat(c.path)
		var unknown *runtime.UnknownError
		switch {
		case errors.As(err, &unknown):
			doubt = fmt.Sprintf("%s is not there yet (%s)", c.path, err)
			c.missing = true
		case errors.Is(err, fs.ErrNotExist):
			c.missing = true
		case err != nil:
			return "", err
		case c.dir != (info.Kind == filesys.Dir) && info.Opaque == "":
			return "", c.wrongKind(info.Kind)
		}
		if c.missing {
			if c.above, err = missingAbove(v, c.path); err != nil {
				return "", err
			}
		}
	}
	return doubt, nil
}

func (c *created) wrongKind(kind filesys.Kind) error {
	if c.dir {
		return fmt.Errorf("creates: %s is there as a %s; write it without / at its end if it is no directory", c.path, kind)
	}
	return fmt.Errorf("creates: %s is there as a directory; write it with / at its end if that is what the command creates", c.path)
}

// missingAbove lists the directories above path that do not exist, outermost first.
func missingAbove(v *filesys.View, path string) ([]string, error) {
	var missing []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		there, err := v.Exists(dir)
		if err != nil && !errors.As(err, new(*runtime.UnknownError)) {
			return nil, err
		}
		if there || dir == "/" {
			slices.Reverse(missing)
			return missing, nil
		}
		missing = append(missing, dir)
	}
}

// keepCreated makes the undo of the paths that are missing, and of the directories that the command has to
// make for them.
func (cmd *command) keepCreated(k *runtime.Keeper) (fileundo.Records, error) {
	var records fileundo.Records
	done := map[string]bool{}
	for _, c := range cmd.creates {
		if !c.missing {
			continue
		}
		for _, dir := range c.above {
			if done[dir] {
				continue
			}
			done[dir] = true
			if err := records.Add(filesys.UndoCreatedTree(k, dir)); err != nil {
				return nil, err
			}
		}
		undo := filesys.UndoCreated(k, c.path)
		if c.dir {
			undo = filesys.UndoCreatedTree(k, c.path)
		}
		if err := records.Add(undo); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// predictCreated lets later steps of a preview see the paths, not what is in them.
func (cmd *command) predictCreated(o *filesys.Overlay) error {
	what := "made by " + cmd.name()
	for _, c := range cmd.creates {
		if !c.missing {
			continue
		}
		for _, dir := range c.above {
			if err := o.OpaqueTree(dir, what); err != nil {
				return err
			}
		}
		place := o.Opaque
		if c.dir {
			place = o.OpaqueTree
		}
		if err := place(c.path, what); err != nil {
			return err
		}
	}
	return nil
}

// kept fails if the command ended well but did not make what its caller says: the next run would not
// find it either.
func (cmd *command) kept() error {
	for _, c := range cmd.creates {
		if _, err := os.Stat(c.path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("it ended well but did not create %s", c.path)
		} else if err != nil {
			return err
		}
	}
	return nil
}
