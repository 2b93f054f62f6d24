// Package runtime is a run: it loads a recipe, resolves its parameters, executes its main function
// and, when that fails, puts the machine back.
//
// It is the kernel and knows no family of builtins: files, commands, units and containers are
// packages under builtins/ that hand it values of type [Change]. It must not import one of them.
//
// # The door
//
// Every change to the machine is a [Change] handed to the door ([Call.Do]), which in order
//
//  1. asks the guard whether the recipe declared what the change reaches and the policy allows it,
//  2. probes: what is there, is anything to do, what would differ,
//  3. reports "unchanged" if nothing is to do,
//  4. in a preview predicts what later probes must see, and reports "would",
//  5. in a run writes what undoes the change to the journal, durably, then applies it, then reports.
//
// A preview cannot change anything because the value needed for it does not exist there: a family's
// client that can change something is to be had only in exchange for a [Writer], and only the last of
// these five steps makes one.
//
// # Threads
//
// Starlark's limits (steps, cancellation, print) belong to a thread, so threads are made in one place,
// newThread, for modules, main, parallel branches and undo functions alike.
//
// # Files
//
//	family.go args.go call.go   how a builtin is declared, unpacked and called
//	change.go door.go           the door
//	world.go unknown.go         what a preview predicts, and what it cannot know
//	source.go load.go           where modules come from, and loading them
//	params.go flags.go          PARAMS, and values for them
//	run.go rollback.go          a run from beginning to end, and back
//	state.go lock.go            the state directory
package runtime
