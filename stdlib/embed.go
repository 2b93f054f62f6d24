// Package stdlib holds the standard library of recipes, loaded as @stdlib//flow.star: what can be
// written in Starlark is, and Go is left with the kernel.
package stdlib

import "embed"

// FS holds the modules, by the paths that recipes load.
//
//go:embed *.star
var FS embed.FS
