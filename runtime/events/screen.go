package events

import (
	"fmt"
	"io"
	"strings"
)

// screen is the writing half of a [Terminal]: lines that stay, and on a live terminal a region below
// them that is redrawn. It knows nothing of events. Its user holds a lock.
type screen struct {
	out    io.Writer
	live   bool
	width  func() int
	buf    strings.Builder // lines that stay, not yet written
	open   string          // a line that waits for its rest, where nothing is redrawn
	drawn  []string        // the region as it stands on the screen
	paused int             // how many callers have the terminal for themselves
	err    error
}

// Control codes. While the region is drawn, long lines are not wrapped: the way back up is counted in
// lines.
const (
	eraseBelow = "\x1b[J"
	wrapOff    = "\x1b[?7l"
	wrapOn     = "\x1b[?7h"
)

// line adds a line that stays.
func (s *screen) line(text string) {
	s.breakOpen()
	s.buf.WriteString(text + "\n")
}

// begin writes a line whose rest follows by end. A live terminal shows it in its region instead.
func (s *screen) begin(text string) {
	if !s.live && s.open == "" {
		s.buf.WriteString(text)
		s.open = text
	}
}

// end completes the line that began with text, or writes it anew if others came between.
func (s *screen) end(text, rest string) {
	if s.open == text {
		s.buf.WriteString(rest + "\n")
		s.open = ""
		return
	}
	s.line(text + rest)
}

func (s *screen) breakOpen() {
	if s.open != "" {
		s.buf.WriteString("\n")
		s.open = ""
	}
}

// pending reports whether lines wait for write.
func (s *screen) pending() bool { return s.buf.Len() > 0 }

// write brings the lines and the region to the screen, in one piece. While the screen is paused it
// holds them back.
func (s *screen) write(region []string) {
	if s.paused > 0 {
		return
	}
	if s.buf.Len() == 0 && len(region) == 0 && len(s.drawn) == 0 {
		return
	}
	text := s.erase() + s.buf.String()
	if len(region) > 0 {
		text += wrapOff + strings.Join(region, "\n") + wrapOn
	}
	s.buf.Reset()
	s.drawn = region
	if _, err := io.WriteString(s.out, text); err != nil && s.err == nil {
		s.err = fmt.Errorf("write to the terminal: %w", err)
	}
}

// erase returns what takes the region off the screen, also if the window was made narrower since.
func (s *screen) erase() string {
	if len(s.drawn) == 0 {
		return ""
	}
	rows := 0
	for _, line := range s.drawn {
		rows += 1 + max(0, width(Sanitize(line))-1)/s.columns()
	}
	up := ""
	if rows > 1 {
		up = fmt.Sprintf("\x1b[%dA", rows-1)
	}
	return "\r" + up + eraseBelow
}

// columns is the terminal's width, 80 if nobody knows.
func (s *screen) columns() int {
	if s.width == nil {
		return 80
	}
	if w := s.width(); w > 0 {
		return w
	}
	return 80
}
