//go:build failpoints

package main

// failpoints says whether infrarun can be killed at a place that a script names.
const failpoints = true
