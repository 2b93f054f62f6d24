package runtime

import (
	"context"
	"fmt"
	goruntime "runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// The limits are far above what a deployment takes, and far below what a person waits for or a server
// can spare. They are variables only so that tests need not wait.
var (
	loadSteps uint64 = 10_000_000    // steps of a module, and apart from it of each that it loads
	mainSteps uint64 = 1_000_000_000 // steps of main and of all parallel branches together
	// maxHeap is in bytes. A single operation can pass it: the interpreter bounds one allocation to
	// 1 GiB, so this bounds what several add up to.
	maxHeap uint64 = 1 << 30
)

const (
	maxNested  = 16     // calls of parallel in calls of parallel
	stepShare  = 10_000 // steps that a thread takes from its budget at once
	memoryPoll = 10 * time.Millisecond
)

// budget is how many steps a thread and the branches that it makes may take together.
type budget struct {
	total uint64
	left  atomic.Int64
}

func newBudget(loading bool) *budget {
	b := &budget{total: mainSteps}
	if loading {
		b.total = loadSteps
	}
	b.left.Store(int64(b.total))
	return b
}

// take takes a share of what is left, 0 if nothing is.
func (b *budget) take() uint64 {
	for {
		left := b.left.Load()
		share := min(left, stepShare)
		if share <= 0 {
			return 0
		}
		if b.left.CompareAndSwap(left, left-share) {
			return uint64(share)
		}
	}
}

func (b *budget) giveBack(steps uint64) { b.left.Add(int64(steps)) }

// bounded returns a context that is cancelled when the memory of a recipe grows without bounds. Done
// ends the watch.
func bounded(ctx context.Context) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watchMemory(ctx, cancel)
	}()
	return ctx, func() {
		cancel(nil)
		<-ended
	}
}

func watchMemory(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(memoryPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if heap() <= maxHeap {
			continue
		}
		// It counts what is not used any more and not yet collected, too: that is nobody's fault.
		goruntime.GC()
		if n := heap(); n > maxHeap {
			cancel(&memoryError{n})
			return
		}
	}
}

// heap returns how many bytes objects on the heap take.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// memoryError is a recipe that takes more and more memory.
type memoryError struct{ used uint64 }

func (e *memoryError) Error() string {
	return fmt.Sprintf("the recipe uses %d MiB of memory; the limit is %d MiB", e.used>>20, maxHeap>>20)
}

// Hint says what to do about it.
func (e *memoryError) Hint() string { return "a list or a text grows without end" }
