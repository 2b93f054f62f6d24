package reach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAddress(t *testing.T) {
	for _, test := range []struct {
		host  string
		want  string
		local bool
	}{
		{"localhost", "localhost:80", true},
		{"LocalHost.", "LocalHost.:80", true},
		{"127.0.0.1", "127.0.0.1:80", true},
		{"127.9.9.9", "127.9.9.9:80", true},
		{"::1", "[::1]:80", true},
		{"[::1]", "[::1]:80", true},
		{"::ffff:127.0.0.1", "[::ffff:127.0.0.1]:80", true},
		{"0.0.0.0", "0.0.0.0:80", true},
		{"10.0.0.1", "10.0.0.1:80", false},
		{"localhost.example.com", "localhost.example.com:80", false},
	} {
		a, err := NewAddress(test.host, 80)
		if err != nil || a.String() != test.want || a.Local() != test.local {
			t.Errorf("%s = %s, local %v, %v; want %s, %v", test.host, a, a.Local(), err, test.want, test.local)
		}
		if n := a.Need(); n.Kind != "net" || n.Target != test.want {
			t.Errorf("%s needs %+v", test.host, n)
		}
	}
	for _, bad := range []struct {
		host string
		port int
	}{{"", 80}, {"[]", 80}, {"h", 0}, {"h", -1}, {"h", 65536}} {
		if a, err := NewAddress(bad.host, bad.port); err == nil {
			t.Errorf("%q, %d = %s, want an error", bad.host, bad.port, a)
		}
	}
}

func TestReason(t *testing.T) {
	dial := func(err error) error {
		return &url.Error{Op: "Get", URL: "http://h", Err: &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}}
	}
	for want, err := range map[string]error{
		"connection refused":                                dial(syscall.ECONNREFUSED),
		"connection reset":                                  dial(syscall.ECONNRESET),
		"no route to the host":                              dial(syscall.EHOSTUNREACH),
		"connection closed without an answer":               &url.Error{Err: io.EOF},
		"connection closed in the middle of the answer":     fmt.Errorf("the body: %w", io.ErrUnexpectedEOF),
		"no answer within 2s":                               &url.Error{Err: context.DeadlineExceeded},
		"there is no host h.example":                        &url.Error{Err: &net.DNSError{Name: "h.example", Err: "no such host", IsNotFound: true}},
		"host h.example cannot be looked up: server says":   &net.DNSError{Name: "h.example", Err: "server says"},
		"connect: address family not supported by protocol": dial(syscall.EAFNOSUPPORT),
		"something else":                                    &url.Error{Op: "Get", URL: "http://h", Err: errors.New("something else")},
	} {
		if got := Reason(err, 2*time.Second); got != want {
			t.Errorf("%v = %q, want %q", err, got, want)
		}
	}
	slow := &url.Error{Err: &net.DNSError{Name: "h", Err: "i/o timeout", IsTimeout: true}}
	if got := Reason(slow, time.Second); !strings.HasPrefix(got, "no answer within 1s") {
		t.Errorf("a slow name server = %q", got)
	}
}
