package enginetest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// givenPorts are those that tests of this process have been given.
var givenPorts sync.Map

// FreePort returns a port that nobody listens on, each time another one. It is below those that Linux gives to
// connections, of which one could come in between.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func freePort() (int, error) {
	for range 1000 {
		port := 10000 + rand.IntN(22000)
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue
		}
		if l, err := net.Listen("tcp", ":"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("there is no free port between 10000 and 32000")
}
