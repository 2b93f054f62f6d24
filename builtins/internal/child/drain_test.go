package child

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// held makes the streams of a command that has ended, of which something else still holds stdout.
func held(t *testing.T, line func(string)) (p *pipes, holder *os.File) {
	t.Helper()
	p, err := newPipes(func(_, text string) { line(text) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	fd, err := syscall.Dup(int(p.stdout.w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	holder = os.NewFile(uintptr(fd), "stdout")
	t.Cleanup(func() { holder.Close() })
	p.serve("")
	return p, holder
}

// draining is a drain whose patience runs out when the test says so.
type draining struct {
	t     *testing.T
	ticks chan time.Time
	ended chan bool
}

func drainOf(t *testing.T, p *pipes) *draining {
	d := &draining{t, make(chan time.Time), make(chan bool, 1)}
	go func() { d.ended <- p.drain(d.ticks, nil) }()
	return d
}

// tick lets patience run out n times. That the next tick is taken shows that the one before was no reason to give up.
func (d *draining) tick(n int) {
	d.t.Helper()
	for range n {
		select {
		case d.ticks <- time.Time{}:
		case whole := <-d.ended:
			d.t.Fatalf("drain has ended (%v) although there was something to do", whole)
		}
	}
}

// While something is read or shown, however slowly, nothing is cut off.
func TestSlowOutputIsNotCut(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	p, holder := held(t, func(text string) {
		if text == "first" {
			close(begun)
			<-goOn
		}
	})
	if _, err := holder.WriteString("first\n" + strings.Repeat("more\n", 10_000)); err != nil {
		t.Fatal(err)
	}
	<-begun
	d := drainOf(t, p)
	d.tick(5)
	holder.Close() // and now nobody can print any more: however long it takes
	d.tick(2 * mostPatience)
	close(goOn)
	for {
		select {
		case d.ticks <- time.Time{}:
			continue
		case whole := <-d.ended:
			if out, _, _ := p.result(); !whole || len(out) != 6+5*10_000 {
				t.Errorf("drain = %v with %d bytes, want all 50006", whole, len(out))
			}
			return
		}
	}
}

// Who holds a stream and goes on printing is not waited for for ever.
func TestEndlessOutputIsGivenUp(t *testing.T) {
	shown := make(chan string)
	p, holder := held(t, func(text string) { shown <- text })
	d := drainOf(t, p)
	for n := 0; ; {
		holder.WriteString("still here\n") // fails when it is given up
		select {
		case <-shown:
		case d.ticks <- time.Time{}:
			n++
		case whole := <-d.ended:
			if whole || n != mostPatience {
				t.Errorf("drain = %v after %d ticks, want false after %d", whole, n, mostPatience)
			}
			return
		}
	}
}

// Who holds a stream and is silent is given up soon.
func TestSilentHolderIsGivenUp(t *testing.T) {
	p, _ := held(t, func(string) {})
	for !p.stdout.idle.Load() || !p.stderr.ended.Load() {
		runtime.Gosched() // until the readers have got so far
	}
	d := drainOf(t, p)
	for n := 0; ; n++ {
		select {
		case d.ticks <- time.Time{}:
		case whole := <-d.ended:
			if whole || n != patience {
				t.Errorf("drain = %v after %d ticks, want false after %d", whole, n, patience)
			}
			return
		}
	}
}
