package host

import (
	"fmt"
	"path/filepath"

	"github.com/shirou/gopsutil/v3/disk"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type diskArgs struct {
	Path string `arg:"path" default:"/" doc:"a path on the file system; it need not exist: its nearest parent that does counts"`
}

var diskBuiltin = runtime.Define(runtime.Builtin{
	Name: "host.disk", Returns: "struct(path, mount, device, fstype, total, free, used, percent)",
	Doc: "Describes the file system that holds a path: where it is mounted, and how much room there is. free is what an " +
		"ordinary user may still take; percent is the share of what such a user could have that is used.",
	Example: `if host.disk("/var").free < 10 << 30:` + "\n    fail(\"less than 10 GiB free\")",
}, func(c *runtime.Call, a diskArgs) (starlark.Value, error) {
	path := filesys.Abs(c.BaseDir(), a.Path)
	room, err := filesys.SpaceAt(path)
	if err != nil {
		return nil, err
	}
	mounts, err := disk.PartitionsWithContext(c.Context(), true)
	if err != nil {
		return nil, fmt.Errorf("find what is mounted: %w", err)
	}
	m := holding(mounts, existing(path))
	return result(starlark.StringDict{
		"path":    starlark.String(path),
		"mount":   starlark.String(m.Mountpoint),
		"device":  starlark.String(m.Device),
		"fstype":  starlark.String(m.Fstype),
		"total":   starlark.MakeInt64(room.Total),
		"free":    starlark.MakeInt64(room.Free),
		"used":    starlark.MakeInt64(room.Used),
		"percent": starlark.Float(share(uint64(room.Used), uint64(room.Used+room.Free))),
	}), nil
})

// existing returns where the nearest parent of a path that exists, or the path itself, really is.
func existing(path string) string {
	for {
		real, err := filepath.EvalSymlinks(path)
		if err == nil || path == filepath.Dir(path) {
			return real
		}
		path = filepath.Dir(path)
	}
}

// holding returns the mount that a path is on: the innermost, and of those at one place the last, which hides the
// others.
func holding(mounts []disk.PartitionStat, path string) disk.PartitionStat {
	var found disk.PartitionStat
	for _, m := range mounts {
		rel, err := filepath.Rel(m.Mountpoint, path)
		if err == nil && filepath.IsLocal(rel) && len(m.Mountpoint) >= len(found.Mountpoint) {
			found = m
		}
	}
	return found
}
