// Package config reads the settings of the stack: built-in defaults, then configs/<env>.yaml in the working
// directory, then the environment, each overriding the one before. All five services read the same file, so
// that each knows where the others are.
//
// A variable that is set but empty counts as not set: an environment file with blank lines changes nothing.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Config is what the services need to know. The zero value is not usable: see Defaults and Load.
type Config struct {
	Env          string `yaml:"-"`
	Bind         string `yaml:"bind"`          // address to listen on; empty: chosen by Env
	LogDir       string `yaml:"log_dir"`       // empty: stderr only
	DataDir      string `yaml:"data_dir"`      // everything that outlives a release
	RequireToken bool   `yaml:"require_token"` // writing needs a signed token
	JWTSecret    Secret `yaml:"-"`             // see ReadSecret: a file in git is no place for it

	Gate    Gate    `yaml:"gate"`
	Console Console `yaml:"console"`
	Orch    Peer    `yaml:"orch"`
	Probe   Probe   `yaml:"probe"`
	Snap    Snap    `yaml:"snap"`
}

// Peer is where a service listens, and where the others find it. Port 0 means any free port, which only a
// test can use: nobody else knows which port that was.
type Peer struct {
	Host string `yaml:"host"`
	Port int    `yaml:"port"`
}

// Gate are the settings of the gateway. Without a certificate it makes a self-signed one.
type Gate struct {
	Host      string `yaml:"host"`
	HTTPPort  int    `yaml:"http_port"`
	HTTPSPort int    `yaml:"https_port"`
	CertFile  string `yaml:"cert_file"`
	KeyFile   string `yaml:"key_file"`
	UIDir     string `yaml:"ui_dir"` // the built front end
}

// Console are the settings of the API. An empty DBPath means console.db in the data directory.
type Console struct {
	Peer   `yaml:",inline"`
	DBPath string `yaml:"db_path"`
}

// Probe are the settings of the health monitor.
type Probe struct {
	Peer     `yaml:",inline"`
	Interval time.Duration `yaml:"interval"` // between two rounds of checks
}

// Snap are the settings of the snapshot service.
type Snap struct {
	Peer   `yaml:",inline"`
	Source string `yaml:"source"` // the directory to take snapshots of
	Keep   int    `yaml:"keep"`   // how many to keep, the newest
}

// Secret is a string that prints, logs and encodes as [redacted]. Reveal gives its value.
type Secret string

// Reveal returns the value. Only code that signs or verifies has a use for it.
func (s Secret) Reveal() string { return string(s) }

// String keeps the value out of fmt.
func (s Secret) String() string { return "[redacted]" }

// GoString keeps the value out of %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue keeps the value out of slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the value out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Defaults returns the settings before any file or variable is read.
func Defaults() Config {
	at := func(port int) Peer { return Peer{Host: "127.0.0.1", Port: port} }
	return Config{
		DataDir: "data",
		Gate:    Gate{Host: "127.0.0.1", HTTPPort: 8080, HTTPSPort: 8443, UIDir: filepath.Join("ui", "dist")},
		Console: Console{Peer: at(8082)},
		Orch:    at(9090),
		Probe:   Probe{Peer: at(8085), Interval: 10 * time.Second},
		Snap:    Snap{Peer: at(8086), Source: "configs", Keep: 10},
	}
}

// Load reads the settings for the environment that INFRA_CORE_ENV names, development if it names none. dir is
// the directory that has configs/; getenv is os.Getenv outside tests.
func Load(dir string, getenv func(string) string) (Config, error) {
	cfg := Defaults()
	cfg.Env = getenv("INFRA_CORE_ENV")
	if cfg.Env == "" {
		cfg.Env = "development"
	}
	if err := cfg.readFile(filepath.Join(dir, "configs")); err != nil {
		return Config{}, err
	}
	if err := cfg.override(getenv); err != nil {
		return Config{}, err
	}
	cfg.derive()
	if err := cfg.validate(); err != nil {
		return Config{}, fmt.Errorf("settings for %s: %w", cfg.Env, err)
	}
	return cfg, nil
}

// envName keeps INFRA_CORE_ENV from naming a file outside configs/.
var envName = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

func (c *Config) readFile(dir string) error {
	if !envName.MatchString(c.Env) {
		return fmt.Errorf("INFRA_CORE_ENV is %q: want lower-case letters, digits, - and _", c.Env)
	}
	path := filepath.Join(dir, c.Env+".yaml")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("INFRA_CORE_ENV is %q, but there is no %s: %s has %s",
			c.Env, path, dir, strings.Join(environments(dir), ", "))
	}
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true) // a misspelt setting must not be ignored
	if err := dec.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the settings in %s: %w", path, err)
	}
	return nil
}

// environments lists the names that INFRA_CORE_ENV may have in dir.
func environments(dir string) []string {
	files, _ := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if len(files) == 0 {
		return []string{"no *.yaml; start the service in the directory that has configs/"}
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".yaml")
	}
	return files
}

// derive fills in what follows from other settings.
func (c *Config) derive() {
	if c.Bind == "" {
		c.Bind = "127.0.0.1"
		if c.Env == "production" {
			c.Bind = "0.0.0.0"
		}
	}
	if c.Console.DBPath == "" {
		c.Console.DBPath = filepath.Join(c.DataDir, "console.db")
	}
}
