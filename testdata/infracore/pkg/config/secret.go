package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// The variables that the secret comes from: itself, or the name of a file with it. A file is for where others can see the
// environment of a service, such as whoever may ask a swarm about its services.
const (
	secretVariable = "INFRA_CORE_JWT_SECRET"
	secretFile     = secretVariable + "_FILE"
)

// ReadSecret returns the secret that tokens are signed with, "" if there is none.
func ReadSecret(getenv func(string) string) (Secret, error) {
	value, path := getenv(secretVariable), getenv(secretFile)
	switch {
	case path == "":
		return Secret(value), nil
	case value != "":
		return "", errors.New(secretVariable + " and " + secretFile + " are both set: want one of them")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", secretFile, err)
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s: %s is empty", secretFile, path)
	}
	return Secret(secret), nil
}
