package main

import (
	"errors"
	"strings"
	"testing"
)

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ args, want, hint string }{
		{"--dyr-run", "unknown flag --dyr-run", "did you mean --dry-run?"},
		{"--dry_run", "unknown flag --dry_run", "did you mean --dry-run?"},
		{"--frobnicate", "unknown flag --frobnicate", "--help lists the flags there are"},
		{"-x", "unknown flag -x", "--help lists the flags there are"},
		{"-yx", "unknown flag -x", "--help lists the flags there are"},
		{"-é", "unknown flag -é", "--help lists the flags there are"},
		{"--site", "--site needs a value: --site FILE", ""},
		{"--output", "--output needs a value: --output text|json", ""},
		{"--output=xml", `--output: "xml" is none of text, json`, ""},
		{"--yes=perhaps", "--yes: must be true or false", ""},
		{"--=x", `"--=x" is no flag; what begins with a dash and is none goes behind --`, ""},
		{"-q -v", "--verbose and --quiet contradict each other", ""},
	} {
		o := &options{}
		err := o.parse(o.flags(""), strings.Fields(tt.args))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.args, err, tt.want)
			continue
		}
		var hinted interface{ Hint() string }
		if hint := ""; errors.As(err, &hinted) {
			hint = hinted.Hint()
			if hint != tt.hint {
				t.Errorf("%s: hint %q, want %q", tt.args, hint, tt.hint)
			}
		} else if tt.hint != "" {
			t.Errorf("%s: no hint, want %q", tt.args, tt.hint)
		}
	}
}

func TestParse(t *testing.T) {
	o := &options{}
	set := o.flags("")
	args := strings.Fields("one -y --site s.star --output json --color=never --state-dir=d --dry-run -v -- --two")
	if err := o.parse(set, args); err != nil {
		t.Fatal(err)
	}
	if !o.yes || !o.dryRun || !o.verbose || o.quiet || o.site != "s.star" || !o.json() || o.color.value != "never" || o.stateDir != "d" {
		t.Errorf("got %+v", o)
	}
	if rest := strings.Join(set.Args(), " "); rest != "one --two" {
		t.Errorf("the arguments without a flag are %q", rest)
	}
}

// Each subcommand takes the flags that mean something to it, and every one knows --help.
func TestSubcommandFlags(t *testing.T) {
	for _, c := range commands() {
		set := new(options).subcommandFlags(c.name)
		if set.Lookup("help") == nil {
			t.Errorf("%s has no --help", c.name)
		}
		if c.name != "run" && c.name != "plan" && set.Lookup("site") != nil {
			t.Errorf("%s has --site, which means nothing to it", c.name)
		}
	}
	if new(options).subcommandFlags("rollback").Lookup("force") == nil {
		t.Error("rollback has no --force")
	}
}
