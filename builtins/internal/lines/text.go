package lines

import "bytes"

// MaxText is how much a [Text] keeps, in bytes.
const MaxText = 4 << 20

// cutNotice ends a text of which there was more: whoever parses it fails, rather than take a part for the whole.
const cutNotice = "\n[cut here by infrarun: there was more than 4 MiB of output]\n"

// Text keeps the beginning of what is written to it.
type Text struct {
	kept bytes.Buffer
	cut  bool
}

// Write implements [io.Writer]. It never fails.
func (t *Text) Write(p []byte) (int, error) {
	room := MaxText - t.kept.Len()
	t.cut = t.cut || len(p) > room
	t.kept.Write(p[:min(len(p), room)])
	return len(p), nil
}

// Cut reports whether there was more than is kept.
func (t *Text) Cut() bool { return t.cut }

// String returns what is kept, and says at its end if there was more.
func (t *Text) String() string {
	if t.cut {
		return t.kept.String() + cutNotice
	}
	return t.kept.String()
}
