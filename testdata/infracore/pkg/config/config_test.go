package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes a directory with configs/<env>.yaml and returns it.
func write(t *testing.T, env, yaml string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "configs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "configs", env+".yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func lookup(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestPrecedence(t *testing.T) {
	const file = "bind: 127.0.0.2\ndata_dir: from-file\nconsole: {port: 1082}\ngate: {http_port: 1080}\n"
	tests := []struct {
		name string
		env  string
		file string
		vars map[string]string
		got  func(Config) any
		want any
	}{
		{"default port", "development", "", nil, func(c Config) any { return c.Orch.Port }, 9090},
		{"file over default", "development", file, nil, func(c Config) any { return c.Console.Port }, 1082},
		{"file keeps the rest", "development", file, nil, func(c Config) any { return c.Gate.HTTPSPort }, 8443},
		{"variable over file", "development", file, map[string]string{"INFRA_CORE_CONSOLE_PORT": "2082"},
			func(c Config) any { return c.Console.Port }, 2082},
		{"variable over default", "development", file, map[string]string{"INFRA_CORE_SNAP_PORT": "2086"},
			func(c Config) any { return c.Snap.Port }, 2086},
		{"empty variable is not set", "development", file, map[string]string{"INFRA_CORE_GATE_HTTP_PORT": ""},
			func(c Config) any { return c.Gate.HTTPPort }, 1080},
		{"bind from file", "development", file, nil, func(c Config) any { return c.Bind }, "127.0.0.2"},
		{"bind in development", "development", "", nil, func(c Config) any { return c.Bind }, "127.0.0.1"},
		{"bind in testing", "testing", "", nil, func(c Config) any { return c.Bind }, "127.0.0.1"},
		{"bind in production", "production", "", nil, func(c Config) any { return c.Bind }, "0.0.0.0"},
		{"bind from variable", "production", "", map[string]string{"INFRA_CORE_BIND": "127.0.0.1"},
			func(c Config) any { return c.Bind }, "127.0.0.1"},
		{"database follows the data directory", "development", file, map[string]string{"INFRA_CORE_DATA_DIR": "/srv"},
			func(c Config) any { return c.Console.DBPath }, "/srv/console.db"},
		{"database from variable", "development", file, map[string]string{"INFRA_CORE_DB_PATH": "/srv/x.db"},
			func(c Config) any { return c.Console.DBPath }, "/srv/x.db"},
		{"peer's host", "development", "", map[string]string{"INFRA_CORE_ORCH_HOST": "::1"},
			func(c Config) any { return c.Orch.URL() }, "http://[::1]:9090"},
		{"secret", "development", "", map[string]string{"INFRA_CORE_JWT_SECRET": "abc"},
			func(c Config) any { return c.JWTSecret.Reveal() }, "abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vars := map[string]string{"INFRA_CORE_ENV": tt.env}
			for k, v := range tt.vars {
				vars[k] = v
			}
			cfg, err := Load(write(t, tt.env, tt.file), lookup(vars))
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.got(cfg); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// The secret can be in a file that a variable names.
func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, missing := file("good", "abc def\n"), filepath.Join(dir, "missing")
	for name, tt := range map[string]struct {
		vars map[string]string
		want string
		err  string
	}{
		"a line":   {map[string]string{secretFile: good}, "abc def", ""},
		"neither":  {nil, "", ""},
		"both":     {map[string]string{secretFile: good, secretVariable: "xyz"}, "", "both set"},
		"no file":  {map[string]string{secretFile: missing}, "", secretFile + ": open " + missing},
		"no text":  {map[string]string{secretFile: file("empty", "\n")}, "", "is empty"},
		"variable": {map[string]string{secretVariable: "xyz"}, "xyz", ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := Load(write(t, "development", ""), lookup(tt.vars))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "xyz") {
					t.Errorf("the error is %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil || cfg.JWTSecret.Reveal() != tt.want {
				t.Errorf("the secret is %q, %v; want %q", cfg.JWTSecret.Reveal(), err, tt.want)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		name string
		file string
		vars map[string]string
		want []string // all in the error
	}{
		{"no such environment", "", map[string]string{"INFRA_CORE_ENV": "staging"}, []string{`"staging"`, "development"}},
		{"path as environment", "", map[string]string{"INFRA_CORE_ENV": "../development"}, []string{"INFRA_CORE_ENV"}},
		{"port is a word", "", map[string]string{"INFRA_CORE_ORCH_PORT": "http"}, []string{"INFRA_CORE_ORCH_PORT", `"http"`}},
		{"port too high", "", map[string]string{"INFRA_CORE_ORCH_PORT": "70000"}, []string{"orch.port", "70000"}},
		{"same port twice", "orch: {port: 8082}", nil, []string{"console.port", "orch.port", "8082"}},
		{"unknown setting", "consol: {port: 1}", nil, []string{"development.yaml", "consol"}},
		{"secret in a file", "jwt_secret: abc", nil, []string{"jwt_secret"}},
		{"half a certificate", "gate: {cert_file: a}", nil, []string{"cert_file", "key_file"}},
		{"no interval", "probe: {interval: 0s}", nil, []string{"probe.interval"}},
		{"keeps nothing", "snap: {keep: 0}", nil, []string{"snap.keep"}},
		{"token without a secret", "require_token: true", nil, []string{"INFRA_CORE_JWT_SECRET", "32"}},
		{"two mistakes, both told", "snap: {keep: 0}\norch: {port: -1}", nil, []string{"snap.keep", "orch.port"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(write(t, "development", tt.file), lookup(tt.vars))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not mention %s", err, want)
				}
			}
		})
	}
}

// The files that are shipped must load, and have the ports that are documented.
func TestShippedFiles(t *testing.T) {
	secret := strings.Repeat("x", minSecret)
	for env, ports := range map[string][2]int{"development": {8080, 8443}, "testing": {18080, 18443}, "production": {80, 443}} {
		cfg, err := Load(filepath.Join("..", ".."), lookup(map[string]string{
			"INFRA_CORE_ENV": env, "INFRA_CORE_JWT_SECRET": secret}))
		if err != nil {
			t.Errorf("%s: %v", env, err)
			continue
		}
		if got := [2]int{cfg.Gate.HTTPPort, cfg.Gate.HTTPSPort}; got != ports {
			t.Errorf("%s: the gate listens on %v, want %v", env, got, ports)
		}
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	const value = "correct-horse-battery-staple"
	cfg := Defaults()
	cfg.JWTSecret = value
	js, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", cfg.JWTSecret, "config", cfg)
	for _, out := range []string{fmt.Sprintf("%v", cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg),
		fmt.Sprintf("%s %q", cfg.JWTSecret, cfg.JWTSecret), string(js), log.String()} {
		if strings.Contains(out, value) {
			t.Errorf("the secret is in %s", out)
		}
	}
	cfg.RequireToken = true
	cfg.JWTSecret = Secret(value[:10])
	if err := cfg.validate(); err == nil || strings.Contains(err.Error(), value[:10]) {
		t.Errorf("error %v, want one without the secret", err)
	}
}
