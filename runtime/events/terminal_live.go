package events

import (
	"fmt"
	"strings"
	"time"
)

// regionLines is how many running steps are shown at most: the region must fit on the screen.
const regionLines = 6

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// spin redraws at every tick until Close; release frees the ticks.
func (t *Terminal) spin(ticks <-chan time.Time, release func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	t.stop = func() {
		close(quit)
		<-done
		release()
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-ticks:
				t.mu.Lock()
				t.frame++
				t.screen.write(t.region())
				t.mu.Unlock()
			}
		}
	}()
}

// region is what is running now, one line each.
func (t *Terminal) region() []string {
	if !t.screen.live {
		return nil
	}
	var lines []string
	for i, b := range t.steps {
		if i == regionLines-1 && len(t.steps) > regionLines {
			lines = append(lines, t.fit(part{t.paint.dim, fmt.Sprintf("… and %d more", len(t.steps)-i)}))
			break
		}
		lines = append(lines, t.stepLine(b))
	}
	if r := t.rollback; r != nil {
		lines = append(lines, t.fit(t.spinning(), part{t.paint.plain, " Rolling back " + r.place()}, t.elapsed(r.started)))
	}
	if len(lines) == 0 && len(t.loose.running) > 0 {
		lines = append(lines, t.stepLine(&t.loose))
	}
	return lines
}

// stepLine is a running step: "[7/10] Code ⠹ 12 s  git.clone /srv/app  last line of its output".
func (t *Terminal) stepLine(b *block) string {
	var parts []part
	if b != &t.loose {
		parts = append(parts, part{t.paint.plain, heading(b.step) + " "})
	}
	parts = append(parts, t.spinning())
	if !b.started.IsZero() {
		parts = append(parts, t.elapsed(b.started))
	}
	if n := len(b.running); n > 0 {
		c := b.running[n-1]
		text := "  " + inCell(c.Call+" "+c.Target)
		if n > 1 {
			text += fmt.Sprintf(" (+%d)", n-1)
		}
		parts = append(parts, part{t.paint.plain, text})
	}
	switch {
	case b.bar != nil:
		parts = append(parts, t.barParts(*b.bar)...)
	case b.last != "":
		parts = append(parts, part{t.paint.dim, "  " + inCell(b.last)})
	}
	return t.fit(parts...)
}

func (t *Terminal) spinning() part {
	return part{t.paint.cyan, spinner[t.frame%len(spinner)]}
}

func (t *Terminal) elapsed(since time.Time) part {
	return part{t.paint.dim, " " + FormatDuration(max(0, t.now().Sub(since)))}
}

// barParts draws how far a long piece of work has come: "copying ██████░░░░ 62 % 12.0 MiB of …".
func (t *Terminal) barParts(b Bar) []part {
	parts := []part{{t.paint.plain, "  " + inCell(b.What) + " "}}
	if b.Total > 0 {
		const cells = 20
		share := min(1, max(0, float64(b.Current)/float64(b.Total)))
		full := int(share * cells)
		parts = append(parts,
			part{t.paint.green, strings.Repeat("█", full)},
			part{t.paint.dim, strings.Repeat("░", cells-full)},
			part{t.paint.plain, fmt.Sprintf(" %d %%", int(share*100))})
	}
	return append(parts, part{t.paint.dim, " " + inCell(amount(b))})
}

// part is a piece of a line and its colour.
type part struct {
	paint func(string) string
	text  string
}

// fit joins parts to a line that leaves the terminal's last column free. Texts are cut before they
// are coloured: a control code has no width and must not be cut.
func (t *Terminal) fit(parts ...part) string {
	room := t.screen.columns() - 1
	var line strings.Builder
	for _, p := range parts {
		if p.text == "" || room <= 0 {
			continue
		}
		text := truncated(p.text, room)
		room -= width(text)
		line.WriteString(p.paint(text))
		if text != p.text {
			break
		}
	}
	return line.String()
}
