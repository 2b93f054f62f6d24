package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// referenceEnv reads an environment file by the grammar of package envfile, but for names that come twice.
func referenceEnv(text string) (map[string]string, bool) {
	key := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	bare := regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]*$`)
	quoted := regexp.MustCompile(`^'((?s:[^']|'\\'')*)'$`)
	env := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || !key.MatchString(name) || strings.HasPrefix(strings.ToLower(name), "infrarun_") {
			return nil, false
		}
		if m := quoted.FindStringSubmatch(value); m != nil {
			value = strings.ReplaceAll(m[1], `'\''`, "'")
		} else if !bare.MatchString(value) {
			return nil, false
		}
		env[name] = value
	}
	return env, true
}

// loadEnv has a shell load an environment file with the functions of the start script.
func loadEnv(t *testing.T, shell []string, path string) (map[string]string, bool) {
	t.Helper()
	begin, end := strings.Index(template, "load_env() {"), strings.Index(template, "await() {")
	program := "set -u\ninfrarun_env=$1\n" + template[begin:end] + "\nload_env \"$1\"\nexec /usr/bin/env -0\n"
	cmd := exec.Command(shell[0], append(shell[1:], "-c", program, "sh", path)...)
	cmd.Env = []string{}
	out, err := cmd.Output()
	if err != nil {
		return nil, false
	}
	env := map[string]string{}
	for entry := range strings.SplitSeq(string(out), "\x00") {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env, true
}

// FuzzEnvFile compares what the start script makes of a file, in each shell, with what the grammar says.
func FuzzEnvFile(f *testing.F) {
	for _, text := range odd {
		f.Add("A=" + quote(text) + "\n")
		f.Add("A=" + text + "\nB=2")
		f.Add(text + "\n")
	}
	f.Add("A='x'y'\n")
	f.Add("A='\nB='\n")
	f.Add("1A=x\n")
	f.Add("=x\n")
	f.Add("A= 'x'\n")
	f.Add("A='x' \n")
	f.Add("export A=x\n")
	// Shells set or refuse some variables themselves; the command's environment is what it is then.
	special := regexp.MustCompile(`(?m)^(_|PWD|OLDPWD|SHLVL|PPID|UID|EUID|SHELLOPTS|BASHOPTS|BASH[A-Z_]*|OPTIND|LC_[A-Z]*|LANG|LANGUAGE|IFS|PATH|LD_[A-Z_]*|RANDOM|SECONDS|LINENO|HISTCMD|FUNCNAME|DIRSTACK|GROUPS|POSIXLY_CORRECT|HOSTNAME|HOSTTYPE|MACHTYPE|OSTYPE|PIPESTATUS|COMP_[A-Z]*|EPOCH[A-Z]*|SRANDOM|HISTFILE|HISTSIZE|MAIL[A-Z]*|PS[0-9]|TERM|TZ|HOME|ENV|LOCPATH|GCONV_PATH|MALLOC_[A-Z_]*)=`)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsRune(text, 0) || special.MatchString(text) {
			return // no shell can do that
		}
		path := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want, ok := referenceEnv(text)
		for _, shell := range shells(t) {
			got, loaded := loadEnv(t, shell, path)
			if loaded != ok {
				t.Errorf("%s: %q is taken: %v, want %v", shell[0], text, loaded, ok)
				continue
			}
			for name, value := range want {
				if got[name] != value {
					t.Errorf("%s: %s = %q, want %q", shell[0], name, got[name], value)
				}
			}
		}
	})
}
