package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// line is a command line as far as it can be understood before the recipe is loaded, which may have
// flags of its own.
type line struct {
	word string   // a subcommand or a recipe; "" if there is none
	rest []string // all the other arguments, in order
	own  options  // infrarun's own flags, as far as they are there and proper
}

// scan takes a command line apart.
func scan(args []string) line {
	var l line
	set := l.own.flags("")
	at := -1
	// Whether a flag that is not infrarun's takes a value cannot be known yet. The word behind it is
	// meant only if there is no better one, or if it looks like a recipe.
	doubtful := false
	consider := func(i int) (found bool) {
		if at < 0 {
			at = i
		}
		if !doubtful || strings.HasSuffix(args[i], ".star") {
			at = i
			return true
		}
		return false
	}
	found := false
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			if doubtful = false; !found && i+1 < len(args) {
				consider(i + 1)
			}
			i = len(args)
		case len(arg) > 1 && arg[0] == '-':
			var next bool
			next, doubtful = l.own.early(set, args[i:])
			if next {
				i++
			}
		default:
			found = found || consider(i)
			doubtful = false
		}
	}
	if at < 0 {
		l.rest = args
		return l
	}
	l.word, l.rest = args[at], slices.Delete(slices.Clone(args), at, at+1)
	return l
}

// early takes the flag that args begin with, if it is infrarun's own. It reports whether the argument
// behind it is its value, or may be the value of a flag that is not infrarun's. A value that is not
// proper is ignored here: parsing finds it again.
func (o *options) early(set *pflag.FlagSet, args []string) (next, doubtful bool) {
	name, value, given := strings.Cut(args[0][1:], "=")
	if long, ok := strings.CutPrefix(name, "-"); ok {
		f := set.Lookup(long)
		switch {
		case f == nil:
			return false, !given
		case given:
			_ = f.Value.Set(value)
		case f.NoOptDefVal != "":
			_ = f.Value.Set(f.NoOptDefVal)
		case len(args) > 1:
			_ = f.Value.Set(args[1])
			return true, false
		}
		return false, false
	}
	for i := range len(name) { // each of infrarun's is one letter, and a switch
		f := set.ShorthandLookup(name[i : i+1])
		if f == nil {
			return false, !given
		}
		_ = f.Value.Set(f.NoOptDefVal)
	}
	return false, false
}
