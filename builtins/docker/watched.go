package docker

import (
	"errors"
	"io"
	"time"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// watched shows how much of something was read. How much there is nobody knows before.
type watched struct {
	io.Reader
	w     *runtime.Writer
	bar   events.Bar
	shown time.Time
}

// showEvery is how often it is shown how far work has come.
const showEvery = 200 * time.Millisecond

func (r *watched) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.bar.Current += int64(n)
	if r.bar.Done = errors.Is(err, io.EOF); r.bar.Done || time.Since(r.shown) > showEvery {
		r.shown = time.Now()
		r.w.Progress(r.bar)
	}
	return n, err
}
