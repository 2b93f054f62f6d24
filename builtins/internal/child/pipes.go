package child

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/infrarun/infrarun/builtins/internal/lines"
)

// MaxOutput is how much of each stream is kept for the result, in bytes. All of it is shown.
const MaxOutput = lines.MaxText

// pipes are the three streams of a command. They are plain files to package exec, so that waiting for
// the command and waiting for whoever else holds them are two things.
type pipes struct {
	stdin, stdout, stderr pipe

	mu      sync.Mutex // one line at a time
	readers sync.WaitGroup
}

type pipe struct {
	r, w *os.File
	kept lines.Text
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
	shown := lines.Splitter{Emit: func(text string) {
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
		_, _ = s.kept.Write(buf[:n])
		_, _ = shown.Write(buf[:n])
		if err != nil {
			shown.Flush()
			s.ended.Store(true)
			return
		}
	}
}

// result returns what was printed. It must not be called before drain.
func (p *pipes) result() (stdout, stderr string, cut bool) {
	return p.stdout.kept.String(), p.stderr.kept.String(), p.stdout.kept.Cut() || p.stderr.kept.Cut()
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
