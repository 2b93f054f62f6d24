package config

import (
	"fmt"
	"strconv"
)

// override applies the INFRA_CORE_* variables. Every variable there is, apart from INFRA_CORE_ENV and those of the secret,
// is in this table.
func (c *Config) override(getenv func(string) string) error {
	strs := map[string]*string{
		"INFRA_CORE_BIND":           &c.Bind,
		"INFRA_CORE_LOG_DIR":        &c.LogDir,
		"INFRA_CORE_DATA_DIR":       &c.DataDir,
		"INFRA_CORE_DB_PATH":        &c.Console.DBPath,
		"INFRA_CORE_GATE_CERT_FILE": &c.Gate.CertFile,
		"INFRA_CORE_GATE_KEY_FILE":  &c.Gate.KeyFile,
		"INFRA_CORE_GATE_HOST":      &c.Gate.Host,
		"INFRA_CORE_CONSOLE_HOST":   &c.Console.Host,
		"INFRA_CORE_ORCH_HOST":      &c.Orch.Host,
		"INFRA_CORE_PROBE_HOST":     &c.Probe.Host,
		"INFRA_CORE_SNAP_HOST":      &c.Snap.Host,
	}
	for name, setting := range strs {
		if v := getenv(name); v != "" {
			*setting = v
		}
	}
	ports := map[string]*int{
		"INFRA_CORE_GATE_HTTP_PORT":  &c.Gate.HTTPPort,
		"INFRA_CORE_GATE_HTTPS_PORT": &c.Gate.HTTPSPort,
		"INFRA_CORE_CONSOLE_PORT":    &c.Console.Port,
		"INFRA_CORE_ORCH_PORT":       &c.Orch.Port,
		"INFRA_CORE_PROBE_PORT":      &c.Probe.Port,
		"INFRA_CORE_SNAP_PORT":       &c.Snap.Port,
	}
	for name, setting := range ports {
		v := getenv(name)
		if v == "" {
			continue
		}
		n, err := strconv.Atoi(v)
		if err != nil {
			return fmt.Errorf("%s is %q: want a port number", name, v)
		}
		*setting = n
	}
	var err error
	c.JWTSecret, err = ReadSecret(getenv)
	return err
}
