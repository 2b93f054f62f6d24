package main

import (
	"context"
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"runtime/debug"

	"github.com/infrarun/infrarun/runtime"
)

// version is set by the build: -ldflags "-X main.buildVersion=v1.2.3".
var buildVersion = ""

// versionText returns the version of this program.
func versionText() string {
	if buildVersion != "" {
		return buildVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func (a *app) version(_ context.Context, args []string) int {
	o := &options{}
	set := newFlags("version", o)
	if _, code, ok := a.subcommand(set, o, args, "", "Tell the version.", 0, 0); !ok {
		return code
	}
	if o.output.value == "json" {
		json.NewEncoder(a.stdout).Encode(map[string]string{
			"version": versionText(), "go": goruntime.Version(), "platform": goruntime.GOOS + "/" + goruntime.GOARCH,
		})
		return runtime.ExitDone
	}
	fmt.Fprintf(a.stdout, "infrarun %s %s %s/%s\n", versionText(), goruntime.Version(), goruntime.GOOS, goruntime.GOARCH)
	return runtime.ExitDone
}
