package child

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// MaxOutput is how much of each stream is kept for the result, in bytes. All of it is shown.
const MaxOutput = 4 << 20

// cutNotice ends an output of which there was more: whoever parses it fails, rather than take a part
// for the whole.
const cutNotice = "\n[cut here by infrarun: there was more than 4 MiB of output]\n"

// pipes are the three streams of a command. They are plain files to package exec, so that waiting for
// the command and waiting for whoever else holds them are two things.
type pipes struct {
	stdin, stdout, stderr pipe

	mu      sync.Mutex // one line at a time
	readers sync.WaitGroup
}

type pipe struct {
	r, w *os.File
	kept bytes.Buffer
	cut  bool
	tail tail
	line func(stream, text string)

	reads atomic.Int64 // how many have come to an end
	idle  atomic.Bool  // its reader waits for more
	ended atomic.Bool  // all has been read
}

func newPipes(line func(stream, text string)) (*pipes, error) {
	p := &pipes{}
	for _, end := range []*pipe{&p.stdin, &p.stdout, &p.stderr} {
		var err error
		if end.r, end.w, err = os.Pipe(); err != nil {
			p.close()
			return nil, fmt.Errorf("make the command's streams: %w", err)
		}
		end.line = line
	}
	return p, nil
}

// serve feeds the command and reads what it prints, once it has started.
func (p *pipes) serve(input string) {
	p.stdin.r.Close()
	p.stdout.w.Close()
	p.stderr.w.Close()
	go func() {
		io.WriteString(p.stdin.w, input) // a command need not read what it is given
		p.stdin.w.Close()
	}()
	p.readers.Go(func() { p.read("stdout", &p.stdout) })
	p.readers.Go(func() { p.read("stderr", &p.stderr) })
}

// read takes in one stream until its end, or until it is closed.
func (p *pipes) read(name string, s *pipe) {
	lines := lineSplitter{emit: func(text string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		s.tail.add(text)
		if s.line != nil {
			s.line(name, text)
		}
	}}
	buf := make([]byte, 32<<10)
	for {
		s.idle.Store(true)
		n, err := s.r.Read(buf)
		s.idle.Store(false)
		s.reads.Add(1)
		s.keep(buf[:n])
		lines.write(buf[:n])
		if err != nil {
			lines.flush()
			s.ended.Store(true)
			return
		}
	}
}

// keep adds to the result what it has room for.
func (s *pipe) keep(b []byte) {
	if room := MaxOutput - s.kept.Len(); len(b) > room {
		s.cut = true
		b = b[:room]
	}
	s.kept.Write(b)
}

// result returns what was printed. It must not be called before drain.
func (p *pipes) result() (stdout, stderr string, cut bool) {
	text := func(s *pipe) string {
		if s.cut {
			return s.kept.String() + cutNotice
		}
		return s.kept.String()
	}
	return text(&p.stdout), text(&p.stderr), p.stdout.cut || p.stderr.cut
}

// last returns the last lines: of what it complained about, else of what it said.
func (p *pipes) last() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if lines := p.stderr.tail.lines; len(lines) > 0 {
		return lines
	}
	return p.stdout.tail.lines
}

// close closes what is still open.
func (p *pipes) close() {
	for _, end := range []*pipe{&p.stdin, &p.stdout, &p.stderr} {
		for _, f := range []*os.File{end.r, end.w} {
			if f != nil {
				f.Close()
			}
		}
	}
}
