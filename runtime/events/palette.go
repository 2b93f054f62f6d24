package events

import "github.com/fatih/color"

// palette is how a terminal tells kinds of text apart. Each colour is switched on or off itself: the
// library's global switch belongs to the whole process and knows only its standard output.
type palette struct {
	plain, bold, dim, red, green, yellow, cyan func(string) string
}

func newPalette(on bool) palette {
	paint := func(attribute color.Attribute) func(string) string {
		c := color.New(attribute)
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return func(s string) string { return c.Sprint(s) }
	}
	return palette{
		plain:  func(s string) string { return s },
		bold:   paint(color.Bold),
		dim:    paint(color.Faint),
		red:    paint(color.FgRed),
		green:  paint(color.FgGreen),
		yellow: paint(color.FgYellow),
		cyan:   paint(color.FgCyan),
	}
}
