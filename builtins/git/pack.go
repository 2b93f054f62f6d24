package git

import (
	"context"
	"io"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/infrarun/infrarun/runtime/events"
)

// fetchPack receives one pack into a copy.
func (f fetcher) fetchPack(
	ctx context.Context, s transport.UploadPackSession, adv *packp.AdvRefs, wants, haves []hash, dir string,
) (err error) {
	req := packp.NewUploadPackRequestFromCapabilities(adv.Capabilities)
	req.Wants, req.Haves = wants, haves
	if adv.Capabilities.Supports(capability.NoProgress) {
		if err := req.Capabilities.Set(capability.NoProgress); err != nil {
			return err
		}
	}
	bar := &receiving{show: f.show, bar: events.Bar{What: "fetch " + f.src.text, Unit: "bytes"}}
	bar.show(bar.bar)
	defer bar.done()
	answer, err := s.UploadPack(ctx, req)
	if err != nil {
		return err
	}
	defer answer.Close()
	var pack io.Reader = answer
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, answer)
	case req.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, answer)
	}
	w, err := newStore(osfs.New(dir)).PackfileWriter()
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(w, bar), pack)
	// Closing is what checks the pack and gives it its name; one that was cut off fails there.
	if closed := w.Close(); err == nil {
		err = closed
	}
	return err
}

// receiving shows how much has come.
type receiving struct {
	show  func(events.Bar)
	bar   events.Bar
	shown time.Time
}

func (r *receiving) Write(p []byte) (int, error) {
	r.bar.Current += int64(len(p))
	if time.Since(r.shown) > 100*time.Millisecond {
		r.shown = time.Now()
		r.show(r.bar)
	}
	return len(p), nil
}

func (r *receiving) done() {
	r.bar.Done = true
	r.show(r.bar)
}
