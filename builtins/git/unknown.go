package git

import (
	"fmt"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/runtime/diag"
)

// unknownRef is a name that a repository does not have.
type unknownRef struct{ name, where, hint string }

func (e *unknownRef) Error() string {
	return fmt.Sprintf("%s has no branch, tag or commit %q%s", e.where, e.name, e.hint)
}

// shownNames is how many names an error lists if none is near.
const shownNames = 3

// hint tells the nearest name of a reference that does not exist, or some that do.
func hint(name string, refs map[string]hash) string {
	plain := func(full string) string {
		for _, prefix := range []string{branches, tags, remotes} {
			full = strings.TrimPrefix(full, prefix)
		}
		return full
	}
	var names []string
	for full := range refs {
		names = append(names, plain(full))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return "; it has none at all"
	}
	if near := diag.DidYouMean(plain(name), names); near != "" {
		return near
	}
	if len(names) > shownNames {
		names = append(names[:shownNames], "…")
	}
	return "; it has " + strings.Join(names, ", ")
}
