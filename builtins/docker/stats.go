package docker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/docker/docker/api/types/container"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

var statsBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.stats", Permission: containerPermission,
	Returns: "struct(cpu, memory, memory_limit, memory_percent, received, sent, processes): cpu in percent of one CPU, measured over about " +
		"a second; memory in bytes, without what the kernel caches; received and sent in bytes since it started",
	Doc:     "Measures what a container that runs uses.",
	Example: `run.check("memory", docker.stats("console").memory_percent < 90)`,
}, func(c *runtime.Call, a containerArgs) (starlark.Value, error) {
	return withContainer(c, a.Name, func(ctx context.Context, e *engine.Client, seen seenContainer) (starlark.Value, error) {
		if err := seen.mustRun(a.Name); err != nil {
			return nil, err
		}
		if !seen.runsAlready() {
			return runtime.NewUnknown("what container "+a.Name+" uses", "the run makes or starts the container: leave it out in a preview"), nil
		}
		answer, err := e.ContainerStats(ctx, seen.real.ID, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, engine.Explain(ctx, err))
		}
		defer answer.Body.Close()
		var s container.StatsResponse
		if err := json.NewDecoder(answer.Body).Decode(&s); err != nil {
			return nil, fmt.Errorf("%s: what the engine measured cannot be read: %w", a.Name, engine.Explain(ctx, err))
		}
		if s.Read.IsZero() {
			return nil, fmt.Errorf("%s: the engine has measured nothing; its log says why, mostly that control groups are missing", a.Name)
		}
		return statsValue(s), nil
	})
})

func statsValue(s container.StatsResponse) starlark.Value {
	used := s.MemoryStats.Usage
	for _, name := range []string{"total_inactive_file", "inactive_file"} { // with control groups of version 1, and of 2
		if cache, ok := s.MemoryStats.Stats[name]; ok && cache < used {
			used -= cache
			break
		}
	}
	percent := 0.0
	if s.MemoryStats.Limit > 0 {
		percent = 100 * float64(used) / float64(s.MemoryStats.Limit)
	}
	var received, sent uint64
	for _, n := range s.Networks {
		received += n.RxBytes
		sent += n.TxBytes
	}
	return structOf(starlark.StringDict{
		"cpu": starlark.Float(cpuPercent(s)), "memory": starlark.MakeUint64(used), "memory_limit": starlark.MakeUint64(s.MemoryStats.Limit),
		"memory_percent": starlark.Float(percent), "received": starlark.MakeUint64(received), "sent": starlark.MakeUint64(sent),
		"processes": starlark.MakeUint64(s.PidsStats.Current),
	})
}

// cpuPercent is what the container used between two measurements, of one CPU.
func cpuPercent(s container.StatsResponse) float64 {
	now, before := s.CPUStats, s.PreCPUStats
	if now.SystemUsage <= before.SystemUsage || now.CPUUsage.TotalUsage < before.CPUUsage.TotalUsage {
		return 0
	}
	cpus := float64(now.OnlineCPUs)
	if cpus == 0 {
		cpus = float64(max(1, len(now.CPUUsage.PercpuUsage)))
	}
	return 100 * cpus * float64(now.CPUUsage.TotalUsage-before.CPUUsage.TotalUsage) / float64(now.SystemUsage-before.SystemUsage)
}
