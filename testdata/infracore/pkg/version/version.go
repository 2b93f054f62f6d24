// Package version holds the version that a service reports in its health answers and under --version.
package version

// Version is set by the linker: -ldflags "-X infracore/pkg/version.Version=1.4.2".
var Version = "dev"
