package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	goruntime "runtime"
	"runtime/debug"
)

// buildVersion is set by the build: -ldflags "-X main.buildVersion=v1.2.3".
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
	set := o.subcommandFlags("version")
	if _, code, ok := a.arguments(set, o, args, "", "Tell the version.", 0, 0); !ok {
		return code
	}
	return a.print(o, func(w io.Writer) error {
		platform := goruntime.GOOS + "/" + goruntime.GOARCH
		if o.json() {
			return json.NewEncoder(w).Encode(map[string]string{
				"version": versionText(), "go": goruntime.Version(), "platform": platform,
			})
		}
		_, err := fmt.Fprintf(w, "infrarun %s %s %s\n", versionText(), goruntime.Version(), platform)
		return err
	})
}
