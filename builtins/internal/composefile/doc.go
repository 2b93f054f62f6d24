// Package composefile reads the files of a Compose project for the families of builtins that bring one up, on one engine
// or on a swarm of them.
//
//	p, err := composefile.Load(ctx, source, composefile.Wanted{Dir: "/opt/shop", Name: "shop"})
//	err = composefile.Permit(p, call.Need)
//
// A project is read with the library that Compose itself is made of, and resolved: variables, overrides, profiles, files
// with variables. [Demands] lists what it asks for that lets a container out of its box, with the line where it stands.
// [Args] are the arguments that the builtins have in common.
//
//	load.go environment.go given.go       reading a project
//	resources.go extends.go               the further files that its services extend
//	bounds.go                             how much a project may be
//	places.go project.go                  where in its files something stands, and what it has
//	policy.go outside.go                  what it asks for, and whether it may
//	args.go                               arguments of builtins
//
// The package does not know who brings the project up, and never asks an engine.
package composefile
