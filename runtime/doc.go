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
// these five steps and a rollback make one. The same holds for a recipe that declares that it only looks: the door
// refuses every change.
//
// # Threads
//
// Starlark's limits (steps, cancellation, print) belong to a thread, so threads are made in one place,
// newThread, for modules, main, parallel branches and undo functions alike; and functions of recipes are
// called in one place, call, which turns panics into errors and says why a thread was stopped.
//
// # Truth
//
// The journal decides what has become of a run, and run.json is only what people read first. Text leaves a
// run through the bus, which redacts it, or through what redacts it right there: the journal's entries
// (door.go), run.json (outcome.go), questions (ui.go).
//
// # Files
//
//	family.go args.go argtypes.go call.go   how a builtin is declared, unpacked and called
//	kernel.go concurrency.go gate.go        the kernel's own builtins: attempt, parallel, run.step, …
//	param_builtins.go push.go plaindata.go  param.…, rollback.push
//	change.go rights.go door.go guard.go    the door
//	world.go unknown.go partial.go          what a preview predicts, and what it cannot know
//	host.go source.go load.go thread.go     where modules come from, and loading and calling them
//	limits.go                               what a recipe may use up
//	recipe.go permissions.go                what a recipe declares, and what the operator allows
//	params.go declare.go                    PARAMS
//	flags.go secretref.go resolve.go defaults.go   values for them
//	run.go begin.go outcome.go ui.go        a run from beginning to end
//	look.go verdict.go                      recipes that only look; findings that end a run
//	rollback.go progress.go orphans.go      putting back what a run changed
//	restore.go drift.go snapshot.go         the same in another process
//	state.go lock.go files.go               the state directory
//	fingerprint.go                          contents that are known again under its key
//	history.go pending.go prune.go          the runs there were
package runtime
