package composetest

import (
	"os/exec"
	"strings"
	"testing"
)

func TestUse(t *testing.T) {
	for _, v := range Versions {
		t.Run(string(v), func(t *testing.T) {
			Use(t, v)
			argv := []string{"docker-compose", "version", "--short"}
			if v == Current {
				argv = []string{"docker", "compose", "version", "--short"}
			}
			out, err := exec.Command(argv[0], argv[1:]...).Output()
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.HasPrefix(string(out), "1."); got != (v == One) {
				t.Errorf("it says version %s", out)
			}
		})
	}
}
