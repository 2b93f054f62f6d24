package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Hosts compares addresses on the network, host:port. A pattern is "host:port", "host:*" or "host" (any port);
// its host is a name, "*.example.com" (every name below it, at any depth, but not example.com), an IP address
// ([::1] in brackets), or "*" for all. "localhost" covers 127.0.0.0/8 and ::1 as well. Case and a final dot do not
// count. Names are compared, not looked up: the address of a declared name is not declared by that.
//
// What could be read in two ways is refused: names with letters beyond ASCII (give the xn-- form), unusual
// spellings of addresses (127.1, 0x7f000001), zones, ports by name. A denial of localhost or of an address of it
// hits every such address, and 0.0.0.0 and ::, which lead there.
type Hosts struct{}

type hostPattern struct {
	text string
	hostPort
	below bool // every name below host
	all   bool // every host
}

type hostPatterns []hostPattern

// Compile reads patterns.
func (Hosts) Compile(patterns []string) (Patterns, error) {
	list := make(hostPatterns, 0, len(patterns))
	for _, text := range patterns {
		p, err := parseHostPattern(text)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", text, err)
		}
		list = append(list, p)
	}
	return list, nil
}

func parseHostPattern(text string) (hostPattern, error) {
	p := hostPattern{text: text}
	rest := strings.TrimSuffix(text, ":*")
	anyPort := rest != text
	if tail, ok := strings.CutPrefix(rest, "*."); ok {
		p.below, rest = true, tail
	} else if port, ok := strings.CutPrefix(rest, "*"); ok && (port == "" || port[0] == ':') {
		// A name stands in for the *, so that the port is read as always.
		p.all, rest = true, "any"+port
	}
	if strings.ContainsAny(rest, "*?") {
		return p, errors.New("* stands for a whole host, for a whole port, or at the start as in *.example.com")
	}
	var err error
	if p.hostPort, err = parseHostPort(rest); err != nil {
		return p, err
	}
	switch {
	case anyPort && p.port != "":
		return p, errors.New("it has two ports")
	case p.port == "0":
		return p, errors.New("port 0 is none; write * for every port")
	case p.below && p.addr.IsValid():
		return p, errors.New("nothing is below an IP address")
	}
	return p, nil
}

func (p *hostPattern) covers(t hostPort) bool {
	if p.port != "" && p.port != t.port {
		return false
	}
	return p.sameHost(t) || !p.below && p.name == localhost && t.addr.IsLoopback()
}

// touches is covers for a denial: a target without a port may mean any.
func (p *hostPattern) touches(t hostPort) bool {
	if p.port != "" && t.port != "" && p.port != t.port {
		return false
	}
	return p.sameHost(t) || !p.below && p.local() && t.local()
}

func (p *hostPattern) sameHost(t hostPort) bool {
	switch {
	case p.all:
		return true
	case p.below:
		return strings.HasSuffix(t.name, "."+p.name)
	}
	return p.name == t.name && p.addr == t.addr
}

// Covers implements [Patterns].
func (list hostPatterns) Covers(target string) (bool, string) {
	t, err := parseHostPort(target)
	if err != nil {
		return false, err.Error()
	}
	return slices.ContainsFunc(list, func(p hostPattern) bool { return p.covers(t) }), ""
}

// Touches implements [Patterns]. Nothing lies below a host.
func (list hostPatterns) Touches(target string, _ bool) (bool, string) {
	t, err := parseHostPort(target)
	if err != nil {
		return len(list) > 0, err.Error()
	}
	for _, p := range list {
		if p.touches(t) {
			return true, fmt.Sprintf("%q is denied", p.text)
		}
	}
	return false, ""
}
