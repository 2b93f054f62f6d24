package policy

import (
	"fmt"
	"strconv"
	"strings"
)

// Need is one thing that a builtin is about to reach, such as {"fs.write", "/opt/app/current"},
// {"net", "localhost:8082"}, {"exec", "git"} or {"secret", "env:GITHUB_TOKEN"}.
type Need struct {
	Kind   string
	Target string
	// Entry says of a path that only its name in its directory is reached, as by who removes or moves it: if it is a link,
	// not what that leads to.
	Entry bool
}

// Recipe is [Denied.By] of what the recipe did not declare.
const Recipe = "recipe"

// Denied is the refusal of a need.
type Denied struct {
	Need Need
	// By says who refused: [Recipe], or "policy " and where that policy was written.
	By string
	// Declared is the patterns of this kind that were compared with the target: those the recipe declared, or
	// the list of the policy that refused.
	Declared []string
	// Hint says what to do, or why it was refused where that is not plain. It may be empty.
	Hint string
}

// shownPatterns is how many declared patterns an error lists.
const shownPatterns = 3

// Error says who refused what, and the hint.
func (d *Denied) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s is not ", d.Need.Kind, printable(d.Need.Target))
	if d.By == Recipe {
		b.WriteString("declared by the recipe (PERMISSIONS")
		if len(d.Declared) == 0 {
			fmt.Fprintf(&b, " has no %q)", d.Need.Kind)
		} else {
			fmt.Fprintf(&b, "[%q] has %s)", d.Need.Kind, quotedList(d.Declared))
		}
	} else {
		fmt.Fprintf(&b, "allowed by the %s", d.By)
	}
	if d.Hint != "" {
		b.WriteString("; " + d.Hint)
	}
	return b.String()
}

func quotedList(patterns []string) string {
	quoted := make([]string, 0, shownPatterns+1)
	for i, p := range patterns {
		if i == shownPatterns {
			quoted = append(quoted, "…")
			break
		}
		quoted = append(quoted, strconv.Quote(p))
	}
	return strings.Join(quoted, ", ")
}

// printable quotes a target that would not show as what it is.
func printable(target string) string {
	if plainText(target) != nil || strings.TrimSpace(target) != target {
		return strconv.Quote(target)
	}
	return target
}
