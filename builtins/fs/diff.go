package fs

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pmezard/go-difflib/difflib"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// What is shown of a difference is for a person to read.
const (
	maxDiffBytes = 256 << 10 // of either file; comparing larger ones would take long
	maxDiffLines = 4000      // of either file
	maxShown     = 400       // lines of a diff
	diffContext  = 3
)

// diff returns the unified difference between what is there and what is wanted, "" if there is none to show.
func (f *file) diff(v *filesys.View) (string, error) {
	if f.blind || f.action != create && f.action != rewrite {
		return "", nil
	}
	if f.size > maxDiffBytes || f.old.Size > maxDiffBytes {
		return "", nil // the summary has the sizes
	}
	before, err := f.before(v)
	if err != nil {
		return "", err
	}
	after := f.content
	if f.from != "" {
		if after, err = v.ReadFile(f.from, maxDiffBytes); err != nil {
			return "", err
		}
	}
	fromName := f.path
	if f.action == create {
		fromName = "/dev/null"
	}
	hide := filesys.Private(f.newMode()) || f.action == rewrite && filesys.Private(f.old.Mode)
	return unified(fromName, f.path, before, after, hide), nil
}

// before is what a reader of the file finds now: through a link what that leads to.
func (f *file) before(v *filesys.View) ([]byte, error) {
	if f.action == create || f.old.Kind != filesys.File {
		return nil, nil
	}
	return v.ReadFile(f.path, maxDiffBytes)
}

// unified compares two texts. With hide the values of lines that are there already are not shown: a file for its
// owner alone may hold secrets that nobody has told infrarun of.
func unified(fromName, toName string, before, after []byte, hide bool) string {
	if !text(before) || !text(after) {
		return "binary files differ\n"
	}
	a, b := lines(before), lines(after)
	if len(a) > maxDiffLines || len(b) > maxDiffLines {
		return ""
	}
	var out strings.Builder
	m := difflib.NewMatcher(a, b)
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", fromName, toName)
	for _, group := range m.GetGroupedOpCodes(diffContext) {
		writeHunk(&out, group, a, b, hide)
	}
	return shorten(out.String())
}

func writeHunk(out *strings.Builder, group []difflib.OpCode, a, b []string, hide bool) {
	first, last := group[0], group[len(group)-1]
	fmt.Fprintf(out, "@@ -%s +%s @@\n", span(first.I1, last.I2), span(first.J1, last.J2))
	for _, op := range group {
		if op.Tag == 'e' {
			writeLines(out, " ", a[op.I1:op.I2], hide)
			continue
		}
		writeLines(out, "-", a[op.I1:op.I2], hide)
		writeLines(out, "+", b[op.J1:op.J2], false)
	}
}

func writeLines(out *strings.Builder, mark string, lines []string, hide bool) {
	for _, l := range lines {
		text, ended := strings.CutSuffix(l, "\n")
		if hide {
			text = hidden(text)
		}
		out.WriteString(mark + text + "\n")
		if !ended {
			out.WriteString("\\ No newline at end of file\n")
		}
	}
}

// hidden keeps the name of a setting and takes its value away.
func hidden(line string) string {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || strings.HasPrefix(trimmed, "#") && !strings.ContainsAny(trimmed, "=:") {
		return line
	}
	if i := strings.IndexAny(line, "=:"); i >= 0 {
		return line[:i+1] + "***"
	}
	return "***"
}

// span writes a range of lines as diff -u does.
func span(from, to int) string {
	switch n := to - from; n {
	case 0:
		return fmt.Sprintf("%d,0", from)
	case 1:
		return fmt.Sprint(from + 1)
	default:
		return fmt.Sprintf("%d,%d", from+1, n)
	}
}

// lines splits a text into lines with their ends.
func lines(data []byte) []string {
	var out []string
	for l := range strings.Lines(string(data)) {
		out = append(out, l)
	}
	return out
}

func text(data []byte) bool { return utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 }

// shorten cuts a diff that nobody would read to its end.
func shorten(diff string) string {
	shown := 0
	for i := range len(diff) {
		if diff[i] != '\n' {
			continue
		}
		if shown++; shown == maxShown && i+1 < len(diff) {
			rest := strings.Count(diff[i+1:], "\n")
			return diff[:i+1] + fmt.Sprintf("… %d more lines\n", rest)
		}
	}
	return diff
}
