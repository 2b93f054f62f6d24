// Package recipes holds the built-in deploy recipes: the flow of a deployment, in Starlark, for
// operators to read and to edit. See README.md here; `infrarun init` writes copies.
package recipes

import "embed"

// FS holds the recipes, by the paths that they have here.
//
//go:embed *.star all:manage all:steps all:env all:sites README.md
var FS embed.FS
