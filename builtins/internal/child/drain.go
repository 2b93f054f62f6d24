package child

import (
	"time"

	"golang.org/x/sys/unix"
)

const (
	// tick is how often it is looked whether an ended command's output has come to its end, if something else still holds
	// it open.
	tick = time.Second
	// patience is for how many ticks in a row nothing may come. One might fall between reading and saying so.
	patience = 2
	// mostPatience is how many ticks something gets that goes on printing.
	mostPatience = 60
)

// settle waits until everything that an ended command printed has been read. If something that it started goes on to
// hold a stream open, and is silent or goes on and on, the streams are closed and settle returns false.
func (p *pipes) settle(stop <-chan struct{}) bool {
	t := time.NewTicker(tick)
	defer t.Stop()
	return p.drain(t.C, stop)
}

// drain is settle with somebody else's clock. On a busy machine what was printed may lie in a stream, or wait
// to be shown, for longer than that: time counts only while there is nothing to do.
func (p *pipes) drain(ticks <-chan time.Time, stop <-chan struct{}) bool {
	done := make(chan struct{})
	go func() {
		p.readers.Wait()
		close(done)
	}()
	seen, silent := p.reads(), 0
	for waited := 0; waited < mostPatience && silent < patience; {
		select {
		case <-done:
			return true
		case <-stop:
			silent = patience
			continue
		case <-ticks:
		}
		held, work := p.state()
		if !held {
			continue // nothing can come any more: the readers are about to find the end
		}
		waited++
		if now := p.reads(); work || now != seen {
			seen, silent = now, 0
		} else {
			silent++
		}
	}
	p.close()
	<-done
	return false
}

// reads is how many readings have come to an end.
func (p *pipes) reads() int64 { return p.stdout.reads.Load() + p.stderr.reads.Load() }

// state reports whether somebody may still print, and whether there is something to read or to be shown.
func (p *pipes) state() (held, work bool) {
	for _, s := range []*pipe{&p.stdout, &p.stderr} {
		if s.ended.Load() {
			continue
		}
		events := s.poll()
		held = held || events&unix.POLLHUP == 0
		work = work || events != 0 || !s.idle.Load()
	}
	return held, work
}

// poll asks the kernel whether a stream has something to read (POLLIN), and whether nobody holds its other end (POLLHUP).
func (s *pipe) poll() (events int16) {
	conn, err := s.r.SyscallConn()
	if err != nil {
		return 0
	}
	_ = conn.Control(func(fd uintptr) { // an error is a stream that is closed: no events
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
			events = fds[0].Revents
		}
	})
	return events
}
