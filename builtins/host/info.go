package host

import (
	"bytes"
	"fmt"
	"os"
	"os/user"
	goruntime "runtime"
	"strings"
	"time"

	pshost "github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/mem"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

var infoBuiltin = runtime.Define(runtime.Builtin{
	Name:    "host.info",
	Returns: "struct(hostname, os, platform, version, kernel, arch, cpus, memory_total, boot_time, uptime, is_root, user, home, init)",
	Doc: "Describes the machine and who runs infrarun. os is linux; platform and version are those of the distribution, such " +
		"as debian and 12, or empty; arch is Go's name: amd64, arm64; boot_time is seconds since 1970 and uptime seconds; init " +
		"is systemd, openrc or other.",
	Example: `if not host.info().is_root:` + "\n    fail(\"run this as root\")",
}, info)

func info(c *runtime.Call, _ struct{}) (starlark.Value, error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find the machine's name: %w", err)
	}
	kernel, err := pshost.KernelVersion()
	if err != nil {
		return nil, fmt.Errorf("find the version of the kernel: %w", err)
	}
	memory, err := mem.VirtualMemoryWithContext(c.Context())
	if err != nil {
		return nil, fmt.Errorf("find the size of the memory: %w", err)
	}
	boot, err := pshost.BootTimeWithContext(c.Context())
	if err != nil {
		return nil, fmt.Errorf("find when the machine started: %w", err)
	}
	platform, version := distribution()
	who, home := operator()
	return result(starlark.StringDict{
		"hostname":     starlark.String(name),
		"os":           starlark.String(goruntime.GOOS),
		"platform":     starlark.String(platform),
		"version":      starlark.String(version),
		"kernel":       starlark.String(kernel),
		"arch":         starlark.String(goruntime.GOARCH),
		"cpus":         starlark.MakeInt(goruntime.NumCPU()),
		"memory_total": starlark.MakeUint64(memory.Total),
		"boot_time":    starlark.MakeUint64(boot),
		"uptime":       starlark.MakeInt64(time.Now().Unix() - int64(boot)),
		"is_root":      starlark.Bool(os.Geteuid() == 0),
		"user":         starlark.String(who),
		"home":         starlark.String(home),
		"init":         starlark.String(initSystem()),
	}), nil
}

// operator returns who runs infrarun, by number if there is no name.
func operator() (name, home string) {
	home, _ = os.UserHomeDir() // empty where there is none
	u, err := user.LookupId(fmt.Sprint(os.Geteuid()))
	if err != nil {
		return fmt.Sprint(os.Geteuid()), home
	}
	return u.Username, home
}

// distribution reads os-release(5).
func distribution() (id, version string) {
	for _, file := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if text, err := os.ReadFile(file); err == nil {
			return parseOSRelease(text)
		}
	}
	return "", ""
}

// parseOSRelease finds ID and VERSION_ID. Their values are words or numbers, perhaps in quotes.
func parseOSRelease(text []byte) (id, version string) {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			id = value
		case "VERSION_ID":
			version = value
		}
	}
	return id, version
}

// initSystem tells what runs services, by what each leaves in /run, as sd_booted(3) does.
func initSystem() string {
	for name, dir := range map[string]string{"systemd": "/run/systemd/system", "openrc": "/run/openrc"} {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() {
			return name
		}
	}
	return "other"
}
