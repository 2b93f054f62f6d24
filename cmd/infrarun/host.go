package main

import (
	"github.com/infrarun/infrarun/builtins"
	"github.com/infrarun/infrarun/recipes"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/stdlib"
)

// newHost returns a host with everything that comes with infrarun.
func newHost() (*runtime.Host, error) {
	return runtime.NewHost(versionText(), builtins.All(), stdlib.FS, recipes.FS)
}
