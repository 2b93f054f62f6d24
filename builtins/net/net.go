// Package net is the family of builtins about TCP ports.
//
//	net.port_free(port)                                                          whether nobody listens
//	net.listening(port, host = "127.0.0.1")                                      whether a connection is accepted
//	net.tcp_check(host, port, timeout = 2)                                       the same, with the reason
//	net.wait_port(port, host = "127.0.0.1", timeout = 30, interval = 0.5)        waits until one is
//
// Nothing is changed, not even for a moment: whether a port is free is seen from the list of who listens, not by taking
// it. In a preview the ports of this machine are as the changes so far would leave them.
package net

import (
	"context"
	"net"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/builtins/internal/reach"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "net",
		Doc: "TCP ports of this machine and of declared hosts. The permission net names them: \"localhost:*\", " +
			"\"github.com:443\", \"*.example.com:443\".",
		Builtins:    []*runtime.Builtin{portFreeBuiltin, listeningBuiltin, tcpCheckBuiltin, waitPortBuiltin},
		Permissions: map[string]policy.Matcher{"net": policy.Hosts{}},
	}
}

type portFreeArgs struct {
	Port int `arg:"port" doc:"the port, 1 to 65535"`
}

var portFreeBuiltin = runtime.Define(runtime.Builtin{
	Name: "net.port_free", Returns: "bool",
	Doc: "Reports whether nobody listens on a TCP port of this machine, on any of its addresses. It looks at the list of who " +
		"listens and does not take the port, not even for a moment. Ports below 1024 may be free and still be root's alone.",
	Example: `taken = [p for p in [80, 443] if not net.port_free(p)]`,
}, func(c *runtime.Call, a portFreeArgs) (starlark.Value, error) {
	at, err := reach.NewAddress("localhost", a.Port)
	if err != nil {
		return nil, err
	}
	if state, _ := at.Predicted(c.Reader()); state != ports.Unknown {
		return starlark.Bool(state == ports.Free), nil
	}
	_, taken, err := ports.Listener(a.Port)
	return starlark.Bool(!taken), err
})

type listeningArgs struct {
	Port int    `arg:"port" doc:"the port, 1 to 65535"`
	Host string `arg:"host" default:"127.0.0.1" doc:"name or address of the host"`
}

var listeningBuiltin = runtime.Define(runtime.Builtin{
	Name: "net.listening", Returns: "bool", Permission: "net on host:port",
	Doc:     "Reports whether a TCP connection is accepted within two seconds. net.tcp_check also says why not.",
	Example: `if not net.listening(5432):` + "\n    fail(\"the database does not run\")",
}, func(c *runtime.Call, a listeningArgs) (starlark.Value, error) {
	at, err := permitted(c, a.Host, a.Port)
	if err != nil {
		return nil, err
	}
	r, err := ask(c.Context(), c, at, defaultTimeout)
	return starlark.Bool(r.ok), err
})

const defaultTimeout = 2 * time.Second

type tcpCheckArgs struct {
	Host    string          `arg:"host" doc:"name or address of the host"`
	Port    int             `arg:"port" doc:"the port, 1 to 65535"`
	Timeout runtime.Seconds `arg:"timeout" default:"2s" doc:"how long to wait for the connection"`
}

var tcpCheckBuiltin = runtime.Define(runtime.Builtin{
	Name: "net.tcp_check", Returns: "struct(ok, error, seconds)", Permission: "net on host:port",
	Doc: "Opens a TCP connection and closes it. It never fails because of what it finds: error says why there was no " +
		"connection, such as \"connection refused\". In a preview a port of this machine on which a process of the run will " +
		"listen is assumed to accept.",
	Example: `answer = net.tcp_check("github.com", 443, timeout = 5)`,
}, func(c *runtime.Call, a tcpCheckArgs) (starlark.Value, error) {
	at, err := permitted(c, a.Host, a.Port)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	r, err := ask(c.Context(), c, at, a.Timeout.Duration)
	if err != nil {
		return nil, err
	}
	return r.value(begin, nil), nil
})

// permitted makes an address that the recipe may reach.
func permitted(c *runtime.Call, host string, port int) (reach.Address, error) {
	at, err := reach.NewAddress(host, port)
	if err != nil {
		return at, err
	}
	return at, c.Need(at.Need())
}

// answer is what came of an attempt to connect.
type answer struct {
	ok     bool
	reason string // why not
}

// value is the answer as a recipe sees it.
func (r answer) value(begin time.Time, more starlark.StringDict) starlark.Value {
	fields := starlark.StringDict{
		"ok":      starlark.Bool(r.ok),
		"error":   starlark.String(r.reason),
		"seconds": starlark.Float(time.Since(begin).Seconds()),
	}
	for name, v := range more {
		fields[name] = v
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}

// ask connects, unless a preview predicts what would come of it. An error means that the run is to stop.
func ask(ctx context.Context, c *runtime.Call, at reach.Address, timeout time.Duration) (answer, error) {
	switch state, by := at.Predicted(c.Reader()); state {
	case ports.Taken:
		c.Assume("%s listens on %s", by, at)
		return answer{ok: true}, nil
	case ports.Free:
		return answer{reason: "nothing will listen on it"}, nil
	}
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(ctx, "tcp", at.String())
	if c.Context().Err() != nil {
		return answer{}, context.Cause(c.Context())
	}
	if err != nil {
		return answer{reason: reach.Reason(err, timeout)}, nil
	}
	conn.Close()
	return answer{ok: true}, nil
}
