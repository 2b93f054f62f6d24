package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

const localhost = "localhost"

// hostPort is an address in its one canonical form.
type hostPort struct {
	name string     // lower case, without a final dot; "" if it is an IP address
	addr netip.Addr // an IPv4 address in IPv6 form is the IPv4 one
	port string     // "" if there is none
}

// local reports whether it leads to this machine by its spelling.
func (h hostPort) local() bool {
	return h.name == localhost || h.addr.IsLoopback() || h.addr.IsValid() && h.addr.IsUnspecified()
}

// parseHostPort reads "host", "host:port", "[v6]" or "[v6]:port".
func parseHostPort(text string) (hostPort, error) {
	if err := plainText(text); err != nil {
		return hostPort{}, err
	}
	if strings.ContainsAny(text, "/@?#\\") {
		return hostPort{}, errors.New("give host:port, not a URL")
	}
	if inside, ok := strings.CutPrefix(text, "["); ok {
		return parseBracketed(inside)
	}
	host, port, hasPort := strings.Cut(text, ":")
	if strings.Contains(port, ":") {
		return hostPort{}, errors.New("an IPv6 address must be in brackets, as in [::1]:80")
	}
	h, err := parseHost(host)
	if err == nil && hasPort {
		h.port, err = parsePort(port)
	}
	return h, err
}

// parseBracketed reads what follows a [.
func parseBracketed(inside string) (hostPort, error) {
	text, tail, closed := strings.Cut(inside, "]")
	if !closed {
		return hostPort{}, errors.New("the ] is missing")
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is6() {
		return hostPort{}, fmt.Errorf("%q is not an IPv6 address", text)
	}
	if addr.Zone() != "" {
		return hostPort{}, fmt.Errorf("an address with a zone (%%%s) is not supported", addr.Zone())
	}
	h := hostPort{addr: addr.Unmap()}
	if tail == "" {
		return h, nil
	}
	port, ok := strings.CutPrefix(tail, ":")
	if !ok {
		return hostPort{}, errors.New("after ] there may be only a port")
	}
	h.port, err = parsePort(port)
	return h, err
}

// parsePort accepts the one usual spelling of a port only.
func parsePort(text string) (string, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return "", fmt.Errorf("port %q is not a number from 0 to 65535", text)
	}
	return text, nil
}

// parseHost reads a name or an IPv4 address.
func parseHost(text string) (hostPort, error) {
	// Before the case is folded, since some letters beyond ASCII have ASCII ones as their lower case.
	if i := strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII }); i >= 0 {
		return hostPort{}, fmt.Errorf("host %q is not ASCII; give the name in its xn-- form", text)
	}
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	if name == "" {
		return hostPort{}, errors.New("there is no host in it")
	}
	if len(name) > 253 {
		return hostPort{}, errors.New("the host has more than 253 characters")
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if err := checkLabel(label); err != nil {
			return hostPort{}, fmt.Errorf("host %q: %w", text, err)
		}
	}
	if !numeric(labels[len(labels)-1]) {
		return hostPort{name: name}, nil
	}
	// Resolvers take 127.1 and 0x7f.1 for addresses, so a name cannot end like that.
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return hostPort{}, fmt.Errorf("host %q ends in a number but is not a plain IPv4 address", text)
	}
	return hostPort{addr: addr}, nil
}

func checkLabel(label string) error {
	if label == "" || len(label) > 63 {
		return errors.New("between dots there must be 1 to 63 characters")
	}
	for _, r := range label {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9', r == '-', r == '_':
		default:
			return fmt.Errorf("%q cannot be in a host name", r)
		}
	}
	if strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
		return fmt.Errorf("%q begins or ends in -", label)
	}
	return nil
}

// numeric reports whether a resolver could read the label as a number.
func numeric(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}
