package host

import (
	"errors"
	"fmt"
	goruntime "runtime"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type cpuArgs struct {
	Interval runtime.Seconds `arg:"interval" default:"200ms" doc:"how long to watch; 0: since infrarun was started or last asked. A preview does not wait: it takes 0"`
}

var cpuBuiltin = runtime.Define(runtime.Builtin{
	Name: "host.cpu", Returns: "struct(percent, load1, load5, load15, count)",
	Doc: "Watches how busy the processors are: percent of all together, and the usual averages of how many programs wanted to " +
		"run.",
	Example: `busy = host.cpu().percent > 90`,
}, func(c *runtime.Call, a cpuArgs) (starlark.Value, error) {
	if c.Preview() {
		a.Interval.Duration = 0
	}
	percent, err := cpu.PercentWithContext(c.Context(), a.Interval.Duration, false)
	if err == nil && len(percent) != 1 {
		err = errors.New("the kernel gives no figures")
	}
	if err != nil {
		return nil, fmt.Errorf("watch the processors: %w", err)
	}
	avg, err := load.AvgWithContext(c.Context())
	if err != nil {
		return nil, fmt.Errorf("find the load: %w", err)
	}
	return result(starlark.StringDict{
		"percent": starlark.Float(percent[0]),
		"load1":   starlark.Float(avg.Load1),
		"load5":   starlark.Float(avg.Load5),
		"load15":  starlark.Float(avg.Load15),
		"count":   starlark.MakeInt(goruntime.NumCPU()),
	}), nil
})

var memoryBuiltin = runtime.Define(runtime.Builtin{
	Name: "host.memory", Returns: "struct(total, available, used, percent, swap_total, swap_used)",
	Doc: "Returns how much memory there is, in bytes. available is what programs can have without swapping; percent is the " +
		"share that they cannot.",
}, func(c *runtime.Call, _ struct{}) (starlark.Value, error) {
	memory, err := mem.VirtualMemoryWithContext(c.Context())
	if err != nil {
		return nil, fmt.Errorf("find how much memory is used: %w", err)
	}
	swap, err := mem.SwapMemoryWithContext(c.Context())
	if err != nil {
		return nil, fmt.Errorf("find how much swap is used: %w", err)
	}
	return result(starlark.StringDict{
		"total":      starlark.MakeUint64(memory.Total),
		"available":  starlark.MakeUint64(memory.Available),
		"used":       starlark.MakeUint64(memory.Used),
		"percent":    starlark.Float(share(memory.Total-memory.Available, memory.Total)),
		"swap_total": starlark.MakeUint64(swap.Total),
		"swap_used":  starlark.MakeUint64(swap.Used),
	}), nil
})

// share is part of whole, in percent.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
