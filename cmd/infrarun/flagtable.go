package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// flagTable writes the flags of a set, with what they mean.
func flagTable(w io.Writer, set *pflag.FlagSet, width int) {
	var names, usages []string
	set.VisitAll(func(f *pflag.Flag) {
		if positive(set, f) == nil { // else it is told with the flag that it negates
			names, usages = append(names, flagName(set, f)), append(usages, flagUsage(f))
		}
	})
	columns(w, names, usages, width)
}

// columns writes names, and beside each what it means, wrapped to the width of the terminal.
func columns(w io.Writer, names, meanings []string, width int) {
	const gap = 3
	indent := 0
	for _, name := range names {
		indent = max(indent, utf8.RuneCountInString(name)+gap)
	}
	for i, name := range names {
		pad := strings.Repeat(" ", indent-utf8.RuneCountInString(name))
		text := name + pad + strings.Join(wrap(meanings[i], width-indent), "\n"+strings.Repeat(" ", indent))
		fmt.Fprintln(w, strings.TrimRight(text, " "))
	}
}

// positive returns the flag --x for --no-x, nil if f negates nothing.
func positive(set *pflag.FlagSet, f *pflag.Flag) *pflag.Flag {
	name, ok := strings.CutPrefix(f.Name, "no-")
	if !ok || f.Value.Type() != "bool" {
		return nil
	}
	if of := set.Lookup(name); of != nil && of.Value.Type() == "bool" {
		return of
	}
	return nil
}

// flagName is how a flag is given: "  -n, --name TEXT", "      --[no-]backup".
func flagName(set *pflag.FlagSet, f *pflag.Flag) string {
	name := "    "
	if f.Shorthand != "" {
		name = "-" + f.Shorthand + ", "
	}
	if negative := set.Lookup("no-" + f.Name); negative != nil && positive(set, negative) == f {
		name += "--[no-]" + f.Name
	} else {
		name += "--" + f.Name
	}
	if f.Value.Type() != "bool" {
		name += " " + valueName(f)
	}
	return "  " + name
}

// longestChoice is how many characters of choices stand in a flag's name; more are told with what it means.
const longestChoice = 60

// valueName is what stands for a flag's value where the flag is explained.
func valueName(f *pflag.Flag) string {
	named, _ := pflag.UnquoteUsage(f)
	if len(named) > longestChoice {
		return strings.ToUpper(f.Name)
	}
	if strings.ContainsAny(named, "|:,") {
		return named // what may be written there
	}
	switch f.Value.Type() {
	case "int":
		return "N"
	case "float":
		return "NUMBER"
	}
	if named == "string" {
		return "TEXT"
	}
	return strings.ToUpper(named)
}

// flagUsage is what a flag means, and its default.
func flagUsage(f *pflag.Flag) string {
	named, text := pflag.UnquoteUsage(f)
	if len(named) > longestChoice {
		text = strings.TrimSpace(text + ": " + strings.ReplaceAll(named, "|", ", "))
	}
	byDefault := f.DefValue
	if f.Value.Type() == "bool" {
		byDefault = ""
		if f.DefValue == "true" {
			byDefault = "yes"
		}
	}
	if byDefault != "" {
		text = strings.TrimSpace(text + " (default " + byDefault + ")")
	}
	return text
}

// wrap breaks a text into lines of at most width characters, or of its longest word. There is at least
// one.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) > width:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
}
