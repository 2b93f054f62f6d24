// Package reach is what the families that ask addresses on the network have in common: which permission an address needs,
// what a preview predicts about it, asking again and again, and saying in words why nobody answers.
//
//	reach.go   addresses
//	repeat.go  asking until the answer is the wanted one
//	reason.go  errors in words
//
// It opens no connection itself.
package reach

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Address is a host, by name or number, and a TCP port.
type Address struct {
	Host string // without brackets
	Port int
}

// NewAddress makes an address of what a recipe gave. The host may be in brackets.
func NewAddress(host string, port int) (Address, error) {
	a := Address{strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), port}
	if a.Host == "" {
		return a, fmt.Errorf("for parameter host: it is empty; give a name or an address")
	}
	if port < 1 || port > 65535 {
		return a, fmt.Errorf("for parameter port: got %d, want 1 to 65535", port)
	}
	return a, nil
}

// String returns host:port, an IPv6 address in brackets.
func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// Need is the permission that reaching the address takes.
func (a Address) Need() policy.Need { return policy.Need{Kind: "net", Target: a.String()} }

// Local reports whether the address is this machine's by its spelling: localhost, 127.0.0.0/8, ::1, and 0.0.0.0 and ::,
// which lead there.
func (a Address) Local() bool {
	if strings.EqualFold(strings.TrimSuffix(a.Host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(a.Host)
	return err == nil && (ip.Unmap().IsLoopback() || ip.IsUnspecified())
}

// Predicted returns what a preview predicts about the address, and by whom it is taken. Nothing is predicted in a run, nor
// about other machines.
func (a Address) Predicted(r *runtime.Reader) (state ports.State, by string) {
	if !r.Preview() || !a.Local() {
		return ports.Unknown, ""
	}
	if state, by = ports.Of(r.World()).Lookup(a.Port); state == ports.Taken && by == "" {
		by = "a process of this run"
	}
	return state, by
}
