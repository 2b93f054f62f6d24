package events

import "fmt"

// Sentence says in plain words how a run in the given mode ended. The terminal, the log and the
// report all print it, so that they cannot tell different stories.
func Sentence(mode Mode, o Outcome) string {
	if mode == "" {
		mode = o.Mode
	}
	if mode == ModeLook {
		return looked(o)
	}
	switch o.Result {
	case Succeeded:
		return succeeded(o)
	case Restored:
		return restored(o)
	case WouldChange:
		return fmt.Sprintf("%s, %d unchanged, %d assumed. Nothing was changed.", count(o.Changes, "change"), o.Unchanged, o.Assumed)
	case NoChange:
		return fmt.Sprintf("No change to make, %d unchanged, %d assumed. Nothing was changed.", o.Unchanged, o.Assumed)
	case Refused:
		if mode == ModeRollback {
			return "Rollback refused. Nothing was changed."
		}
		return "Failed" + inStep(o) + " before any change. Nothing was changed."
	case DeniedRun:
		return "Refused by policy" + inStep(o) + ". " + undone(mode, o)
	case RolledBack:
		return "Failed" + inStep(o) + ". " + undone(mode, o)
	case Incomplete:
		return incomplete(mode, o)
	case Interrupted:
		return "Interrupted" + inStep(o) + ". " + undone(mode, o)
	case Locked:
		return "Not started: another run holds the lock, or an interrupted run must be rolled back first. Nothing was changed."
	}
	return fmt.Sprintf("Ended with the unknown result %q.", string(o.Result))
}

// looked says it of what could change nothing, so that there is nothing to say about changes.
func looked(o Outcome) string {
	switch o.Result {
	case Succeeded:
		return "Done."
	case DeniedRun:
		return "Refused by policy" + inStep(o) + "."
	case Interrupted:
		return "Interrupted" + inStep(o) + "."
	}
	return "Failed" + inStep(o) + "."
}

func succeeded(o Outcome) string {
	if o.Changes == 0 {
		return fmt.Sprintf("Done. Nothing had to be changed, %d unchanged.", o.Unchanged)
	}
	return fmt.Sprintf("Done. %s, %d unchanged.", count(o.Changes, "change"), o.Unchanged)
}

func restored(o Outcome) string {
	if o.Undone == 0 {
		return "Rolled back: no change was left that can be undone."
	}
	return fmt.Sprintf("Rolled back: %s undone.", count(o.Undone, "change"))
}

func incomplete(mode Mode, o Outcome) string {
	left := "something could not be put back."
	if n := len(o.Left); n > 0 {
		left = count(n, "change") + " could not be put back."
	}
	if mode == ModeRollback {
		return "Rollback incomplete: " + left
	}
	return "Failed" + inStep(o) + ", and the rollback is incomplete: " + left
}

// undone says what happened to the changes made before the end. A change without an undo stays, and
// the sentence must not hide that. Those of a preview were not made.
func undone(mode Mode, o Outcome) string {
	switch {
	case mode == ModePreview, o.Changes == 0 && o.Undone == 0:
		return "Nothing was changed."
	case o.Undone < o.Changes:
		return fmt.Sprintf("What can be undone was put back: %d of %s.", o.Undone, count(o.Changes, "change"))
	}
	return fmt.Sprintf("Everything was put back: %s undone.", count(o.Undone, "change"))
}

func inStep(o Outcome) string {
	if o.Step == "" {
		return ""
	}
	return fmt.Sprintf(" in step %q", o.Step)
}

// ending is what a program sees of the same outcome: "(1m 12s, exit 3)".
func ending(o Outcome) string {
	return fmt.Sprintf("(%s, exit %d)", FormatDuration(o.Duration), o.ExitCode)
}

// good reports whether an outcome is one that the operator asked for.
func good(r Result) bool { return r == Succeeded || r == Restored || r == WouldChange || r == NoChange }
