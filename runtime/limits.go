package runtime

import (
	"context"
	"fmt"
	"runtime/metrics"
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

const memoryPoll = 10 * time.Millisecond

// bounded returns a context that is cancelled when the memory of a recipe grows without bounds. Done
// ends the watch.
func bounded(ctx context.Context) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go watchMemory(ctx, cancel)
	return ctx, func() { cancel(nil) }
}

func watchMemory(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(memoryPoll)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(sample)
		if n := sample[0].Value.Uint64(); n > maxHeap {
			cancel(&memoryError{n})
			return
		}
	}
}

// memoryError is a recipe that takes more and more memory.
type memoryError struct{ used uint64 }

func (e *memoryError) Error() string {
	return fmt.Sprintf("the recipe uses %d MiB of memory; the limit is %d MiB", e.used>>20, maxHeap>>20)
}

// Hint says what to do about it.
func (e *memoryError) Hint() string { return "a list or a text grows without end" }
