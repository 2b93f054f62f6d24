package config

import (
	"net"
	"strconv"
)

// Service is one of the five, as the others see it.
type Service struct {
	Name string
	URL  string // base address, without a slash at the end
}

// Services lists the five services. Each answers GET /health below its URL.
func (c *Config) Services() []Service {
	return []Service{
		{"gate", Peer{c.Gate.Host, c.Gate.HTTPPort}.URL()},
		{"console", c.Console.URL()},
		{"orch", c.Orch.URL()},
		{"probe", c.Probe.URL()},
		{"snap", c.Snap.URL()},
	}
}

// URL is the address under which the other services reach p.
func (p Peer) URL() string { return "http://" + net.JoinHostPort(p.Host, strconv.Itoa(p.Port)) }

// ListenAddr is the address that a service listens on for port.
func (c *Config) ListenAddr(port int) string { return net.JoinHostPort(c.Bind, strconv.Itoa(port)) }
