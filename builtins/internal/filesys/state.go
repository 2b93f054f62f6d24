package filesys

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/infrarun/infrarun/runtime/journal"
)

// Path is a path in an undo record. JSON holds text only, and a path may be any bytes but NUL: one that is no
// text is written as {"bytes": "<base64>"}.
type Path string

type pathBytes struct {
	Bytes []byte `json:"bytes"`
}

// MarshalJSON implements [json.Marshaler].
func (p Path) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(p)) {
		return json.Marshal(string(p))
	}
	return json.Marshal(pathBytes{[]byte(p)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (p *Path) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(p))
	}
	var b pathBytes
	if err := json.Unmarshal(data, &b); err != nil {
		return fmt.Errorf("path: %w", err)
	}
	*p = Path(b.Bytes)
	return nil
}

// state is what a path was before a change.
type state struct {
	Path   Path   `json:"path"`
	Kind   Kind   `json:"kind,omitempty"` // "": nothing was there
	Mode   uint32 `json:"mode,omitempty"` // as chmod takes it
	UID    int    `json:"uid,omitempty"`
	GID    int    `json:"gid,omitempty"`
	MTime  int64  `json:"mtime,omitempty"` // ns since 1970
	Target Path   `json:"target,omitempty"`
	Size   int64  `json:"size,omitempty"` // of the content, in the order of the files, in the blob
}

func stateOf(i Info) state {
	s := state{
		Path: Path(i.Path), Kind: i.Kind, Mode: unixMode(i.Mode), UID: i.UID, GID: i.GID, Target: Path(i.Target), Size: i.Size,
	}
	if !i.ModTime.IsZero() {
		s.MTime = i.ModTime.UnixNano()
	}
	return s
}

func (s state) info() Info {
	i := Info{
		Path: string(s.Path), Kind: s.Kind, Mode: fileMode(s.Mode), UID: s.UID, GID: s.GID, Target: string(s.Target), Size: s.Size,
	}
	if s.MTime != 0 {
		i.ModTime = time.Unix(0, s.MTime)
	}
	return i
}

// sameMeta reports whether a path is what it was, as far as can be told without reading it.
func (i Info) sameMeta(was Info) bool {
	same := i.Kind == was.Kind && i.UID == was.UID && i.GID == was.GID && i.Target == was.Target && i.Size == was.Size
	return same && (i.Kind == Link || i.Mode == was.Mode) && i.ModTime.Equal(was.ModTime)
}

// keptArgs are the arguments of the undo kind fs.file: what files were, and what those had in them, one after
// the other.
type keptArgs struct {
	Dirs    []Path        `json:"dirs,omitempty"` // those of what was there that the run itself had made
	Files   []state       `json:"files"`
	Content *journal.Blob `json:"content,omitempty"`
}

// createdArgs are the arguments of fs.created: what was not there before, outermost first.
type createdArgs struct {
	Paths   []Path  `json:"paths"`
	Content content `json:"content,omitempty"`
}

// content is how what is in a directory that a change made came about.
type content string

const (
	unexpected content = ""           // not by that change: it is put aside, not lost
	repeatable content = "repeatable" // by that change, from a source that stays: put aside where that takes no copy
	private    content = "private"    // as the run's own, which it was to lose in any case
)

// movedArgs are the arguments of fs.moved and fs.trash.
type movedArgs struct {
	Dirs []Path `json:"dirs,omitempty"` // those of From that the run itself had made
	From Path   `json:"from"`
	To   Path   `json:"to"`
}

// metaArgs are the arguments of fs.meta: the modes and owners that files had.
type metaArgs struct {
	Dir   Path    `json:"dir,omitempty"` // nothing outside of it is touched; "": files are found by their paths
	Files []state `json:"files"`
}
