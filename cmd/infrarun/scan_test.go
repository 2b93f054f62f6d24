package main

import (
	"slices"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	for _, tt := range []struct {
		args, word, rest string
	}{
		{"", "", ""},
		{"a.star", "a.star", ""},
		{"a.star --env x", "a.star", "--env x"},
		{"a.star one two", "a.star", "one two"},
		{"rollback 2026 --force", "rollback", "2026 --force"},

		// infrarun's flags: whether they take a value is known.
		{"--dry-run a.star", "a.star", "--dry-run"},
		{"--site s.star a.star", "a.star", "--site s.star"},
		{"--site=s.star a.star", "a.star", "--site=s.star"},
		{"-yv a.star", "a.star", "-yv"},
		{"--output json rollback", "rollback", "--output json"},
		{"--site", "", "--site"},
		{"--site s.star", "", "--site s.star"},
		{"--dry-run=false a.star", "a.star", "--dry-run=false"},

		// The recipe's: the better of the words that come in question.
		{"--env staging a.star", "a.star", "--env staging"},
		{"--env=staging a.star", "a.star", "--env=staging"},
		{"--docker a.star", "a.star", "--docker"},
		{"--docker a.star extra", "a.star", "--docker extra"},
		{"--docker deploy", "deploy", "--docker"},
		{"--env staging deploy", "deploy", "--env staging"},
		{"-e staging deploy", "deploy", "-e staging"},
		{"-yn 5 deploy", "deploy", "-yn 5"},
		{"--env staging --type docker", "staging", "--env --type docker"},

		// What stands behind -- is no flag.
		{"-- a.star", "a.star", "--"},
		{"--env -- a.star --x", "a.star", "--env -- --x"},
		{"a.star -- --x", "a.star", "-- --x"},
		{"--env x -- a.star", "a.star", "--env x --"},
		{"--", "", "--"},
		{"- a", "-", "a"},
	} {
		l := scan(strings.Fields(tt.args))
		if rest := strings.Join(l.rest, " "); l.word != tt.word || rest != tt.rest {
			t.Errorf("scan(%q) = %q and %q, want %q and %q", tt.args, l.word, rest, tt.word, tt.rest)
		}
	}
}

func TestScanReadsOwnFlags(t *testing.T) {
	for _, tt := range []struct {
		args                        string
		site, policy, output, color string
		help                        bool
	}{
		{"a.star", "", "", "text", "auto", false},
		{"a.star --site s.star --policy=p.star", "s.star", "p.star", "text", "auto", false},
		{"--site s.star --site t.star a.star", "t.star", "", "text", "auto", false},
		{"a.star --output json --color=never -h", "", "", "json", "never", true},
		{"a.star --output xml", "", "", "text", "auto", false},
		{"a.star -yh", "", "", "text", "auto", true},
		{"a.star -- --site s.star --help", "", "", "text", "auto", false},
		{"a.star --env --site", "", "", "text", "auto", false},
		{"a.star --site --help", "--help", "", "text", "auto", false},
	} {
		o := scan(strings.Fields(tt.args)).own
		if o.site != tt.site || o.policy != tt.policy || o.output.value != tt.output || o.color.value != tt.color || o.help != tt.help {
			t.Errorf("%q: site %q policy %q output %q color %q help %v", tt.args, o.site, o.policy, o.output.value, o.color.value, o.help)
		}
	}
}

// FuzzScan checks that no argument is lost, and that parsing what scan left agrees with it.
func FuzzScan(f *testing.F) {
	f.Add("--env staging deploy.star --site=x -yv -- --y")
	f.Add("-= --= -- - \x00 --site")
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Fields(text)
		before := slices.Clone(args)
		l := scan(args)
		if !slices.Equal(args, before) {
			t.Fatalf("scan changed its arguments: %q", args)
		}
		all := slices.Clone(l.rest)
		if l.word != "" {
			all = append(all, l.word)
		}
		slices.Sort(all)
		slices.Sort(before)
		if !slices.Equal(all, before) {
			t.Fatalf("scan(%q) = %q and %q", args, l.word, l.rest)
		}
		o := &options{}
		if err := o.parse(o.flags(""), l.rest); err == nil && (o.site != l.own.site || o.policy != l.own.policy || o.json() != l.own.json()) {
			t.Errorf("%q: scan reads site %q, policy %q; parsing reads %q, %q", args, l.own.site, l.own.policy, o.site, o.policy)
		}
	})
}
