package runtime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxSecret bounds the file of a secret, in bytes.
const maxSecret = 1 << 20

// readSecret reads what env:VARIABLE or file:PATH names. Its errors do not contain what it was given:
// that may be the secret itself.
func readSecret(ref, dir string, environ []string) (string, error) {
	switch kind, name, _ := strings.Cut(ref, ":"); kind {
	case "env":
		v, ok := lookupEnv(environ, name)
		if !ok {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return v, nil
	case "file":
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return readSecretFile(name)
	}
	return "", errors.New("a secret is not given in the clear, where others see it: name it as env:VARIABLE or file:PATH")
}

// readSecretFile reads a secret without the line end that editors put behind it.
func readSecretFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	if len(data) > maxSecret {
		return "", fmt.Errorf("read the secret: %s is longer than %d bytes", name, maxSecret)
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// lookupEnv returns a variable of an environment as of os.Environ. An empty one counts as not set: that
// is what is left where a CI system has no value for it.
func lookupEnv(environ []string, name string) (string, bool) {
	for _, kv := range slices.Backward(environ) {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v, v != ""
		}
	}
	return "", false
}
