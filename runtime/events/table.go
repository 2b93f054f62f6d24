package events

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// cells measures text as a terminal outside East Asia shows it, whatever this process's locale is.
var cells = &runewidth.Condition{StrictEmojiNeutral: true}

// width returns how many cells a text takes.
func width(s string) int { return cells.StringWidth(s) }

// truncated cuts a text to at most w cells; the last one says that something is missing.
func truncated(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return cells.Truncate(s, w, "…")
}

// tableLines aligns a table's columns; head styles the line of their names. The last column is
// not padded, so that no line ends in spaces.
func tableLines(t Table, head func(string) string) []string {
	rows := make([][]string, 0, len(t.Rows)+1)
	if len(t.Columns) > 0 {
		rows = append(rows, t.Columns)
	}
	rows = append(rows, t.Rows...)
	var widths []int
	for i, row := range rows {
		rows[i] = make([]string, len(row)) // the caller's row stays as it is
		for c, cell := range row {
			rows[i][c] = inCell(cell)
			if c == len(widths) {
				widths = append(widths, 0)
			}
			widths[c] = max(widths[c], width(rows[i][c]))
		}
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		lines[i] = tableLine(row, widths)
		if i == 0 && len(t.Columns) > 0 {
			lines[i] = head(lines[i])
		}
	}
	return lines
}

func tableLine(row []string, widths []int) string {
	var b strings.Builder
	for c, cell := range row {
		b.WriteString(cell)
		if c < len(row)-1 {
			b.WriteString(strings.Repeat(" ", widths[c]-width(cell)+2))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// inCell brings a text to one line without tabs, whose width nobody knows.
func inCell(s string) string {
	return strings.ReplaceAll(SanitizeLine(s), "\t", " ")
}
