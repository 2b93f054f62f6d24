package compose

import "github.com/infrarun/infrarun/builtins/internal/composefile"

// The reading of a project is shared with the families that bring it up otherwise.
type (
	project     = composefile.Project
	projectArgs = composefile.Args
)
