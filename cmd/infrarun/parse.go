package main

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime/diag"
)

// parse parses arguments, and says of what is wrong with them what to do about it.
func (o *options) parse(set *pflag.FlagSet, args []string) error {
	if err := set.Parse(args); err != nil {
		return explainFlag(set, err)
	}
	if o.verbose && o.quiet {
		return errors.New("--verbose and --quiet contradict each other")
	}
	return nil
}

// explainFlag puts an error of pflag into the words of the other errors.
func explainFlag(set *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var syntax *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(set, unknown)
	case errors.As(err, &missing):
		f := missing.GetFlag()
		return fmt.Errorf("--%s needs a value: --%s %s", f.Name, f.Name, valueName(f))
	case errors.As(err, &invalid):
		return fmt.Errorf("--%s: %w", invalid.GetFlag().Name, errors.Unwrap(invalid))
	case errors.As(err, &syntax):
		return fmt.Errorf("%q is no flag; what begins with a dash and is none goes behind --", syntax.GetSpecifiedFlag())
	}
	return err
}

func unknownFlag(set *pflag.FlagSet, unknown *pflag.NotExistError) error {
	if group := unknown.GetSpecifiedShortnames(); group != "" {
		name := unknown.GetSpecifiedName()
		if name[0] >= utf8.RuneSelf {
			name = group // of which pflag sees the bytes
		}
		return hinted("unknown flag -"+name, "--help lists the flags there are")
	}
	name := unknown.GetSpecifiedName()
	var names []string
	set.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	hint := "--help lists the flags there are"
	if near, ok := diag.Suggest(name, names); ok {
		hint = fmt.Sprintf("did you mean --%s?", near)
	}
	return hinted("unknown flag --"+name, hint)
}

// hintedError is an error of the command line with what to do about it.
type hintedError struct{ text, hint string }

func hinted(text, hint string) error { return &hintedError{text, hint} }

func (e *hintedError) Error() string { return e.text }

// Hint is for package diag.
func (e *hintedError) Hint() string { return e.hint }
