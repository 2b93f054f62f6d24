package server

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// Cache returns a directory for what outlives the tests, below ${INFRARUN_TEST_CACHE:-~/.cache/infrarun-test}. It is
// another one where what it is made of is.
func Cache(name string, madeOf ...string) (string, error) {
	dir := os.Getenv("INFRARUN_TEST_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(base, "infrarun-test")
	}
	sum := sha256.New()
	for _, text := range madeOf {
		sum.Write([]byte(text))
	}
	if len(madeOf) > 0 {
		name += "-" + hex.EncodeToString(sum.Sum(nil)[:6])
	}
	dir = filepath.Join(dir, name)
	return dir, os.MkdirAll(dir, 0o700)
}
