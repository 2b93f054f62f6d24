package events

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// vt is a small terminal: what a person sees after everything was written to it. It fails the test on
// a control code that the terminal sink has no business sending.
type vt struct {
	t       *testing.T
	columns int
	rows    []vtRow
	row     int
	wrap    bool
}

// vtRow is a line on the screen. One that continues is joined with the next when it is read.
type vtRow struct {
	cells     []rune
	at        int // the cursor's column
	continued bool
}

func newVT(t *testing.T, columns int) *vt {
	return &vt{t: t, columns: columns, rows: make([]vtRow, 1), wrap: true}
}

func (v *vt) Write(p []byte) (int, error) {
	for s := string(p); s != ""; {
		if s[0] == '\x1b' {
			s = s[v.escape(s):]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		v.put(r)
		s = s[size:]
	}
	return len(p), nil
}

// escape carries out the control sequence at the start of s and returns its length.
func (v *vt) escape(s string) int {
	end := strings.IndexFunc(s[2:], func(r rune) bool { return r >= 0x40 }) + 2
	switch arg := s[2:end]; {
	case s[1] != '[':
		v.t.Errorf("escape sequence %q", s[:end+1])
	case s[end] == 'm': // colour
	case s[end] == 'J' && arg == "": // erase from here to the end
		row := &v.rows[v.row]
		row.cells = row.cells[:min(row.at, len(row.cells))]
		row.continued = false
		v.rows = v.rows[:v.row+1]
	case s[end] == 'A':
		n, err := strconv.Atoi(arg)
		if err != nil || n > v.row {
			v.t.Errorf("cursor up by %q from row %d", arg, v.row)
			n = 0
		}
		at := v.rows[v.row].at
		v.row -= n
		v.rows[v.row].at = at
	case arg == "?7" && (s[end] == 'h' || s[end] == 'l'):
		v.wrap = s[end] == 'h'
	default:
		v.t.Errorf("control sequence %q", s[:end+1])
	}
	return end + 1
}

func (v *vt) put(r rune) {
	row := &v.rows[v.row]
	switch {
	case r == '\n':
		v.nextRow()
	case r == '\r':
		row.at = 0
	case r < 0x20 && r != '\t':
		v.t.Errorf("control character %q", r)
	default:
		if row.at >= v.columns {
			if !v.wrap {
				v.t.Errorf("a redrawn line is wider than %d: %q", v.columns, string(row.cells))
				return
			}
			row.continued = true
			v.nextRow()
			row = &v.rows[v.row]
		}
		row.cells = append(row.cells[:min(row.at, len(row.cells))], r)
		row.at += max(1, width(string(r))) // a tab, too, is one cell here
	}
}

func (v *vt) nextRow() {
	v.row++
	if v.row == len(v.rows) {
		v.rows = append(v.rows, vtRow{})
	}
	v.rows[v.row].at = 0
}

// text is what stands on the screen, with wrapped lines joined.
func (v *vt) text() string {
	var b strings.Builder
	for i, row := range v.rows {
		b.WriteString(string(row.cells))
		if !row.continued && i < len(v.rows)-1 {
			b.WriteString("\n")
		}
	}
	return b.String()
}
