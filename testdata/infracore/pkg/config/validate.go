package config

import (
	"errors"
	"fmt"
)

// minSecret is what HS256 asks for: a key as long as the hash, in bytes.
const minSecret = 32

// validate says everything that is wrong at once, so that an operator need not find it one start at a time.
func (c *Config) validate() error {
	errs := []error{c.validatePorts()}
	if c.DataDir == "" {
		errs = append(errs, errors.New("data_dir is empty"))
	}
	if c.Probe.Interval <= 0 {
		errs = append(errs, fmt.Errorf("probe.interval is %s: want more than 0", c.Probe.Interval))
	}
	if c.Snap.Keep < 1 {
		errs = append(errs, fmt.Errorf("snap.keep is %d: want at least 1", c.Snap.Keep))
	}
	if (c.Gate.CertFile == "") != (c.Gate.KeyFile == "") {
		errs = append(errs, errors.New("gate.cert_file and gate.key_file belong together: set both or neither"))
	}
	if n := len(c.JWTSecret); c.RequireToken && n < minSecret {
		errs = append(errs, fmt.Errorf("require_token is set, so INFRA_CORE_JWT_SECRET must have %d bytes or more: it has %d",
			minSecret, n))
	}
	return errors.Join(errs...)
}

func (c *Config) validatePorts() error {
	ports := []struct {
		name string
		port int
	}{
		{"gate.http_port", c.Gate.HTTPPort},
		{"gate.https_port", c.Gate.HTTPSPort},
		{"console.port", c.Console.Port},
		{"orch.port", c.Orch.Port},
		{"probe.port", c.Probe.Port},
		{"snap.port", c.Snap.Port},
	}
	var errs []error
	taken := map[int]string{}
	for _, p := range ports {
		if p.port < 0 || p.port > 65535 {
			errs = append(errs, fmt.Errorf("%s is %d: want 0 to 65535", p.name, p.port))
		}
		if other, ok := taken[p.port]; ok && p.port != 0 {
			errs = append(errs, fmt.Errorf("%s and %s are both %d: each listener needs its own port", other, p.name, p.port))
		}
		taken[p.port] = p.name
	}
	return errors.Join(errs...)
}
