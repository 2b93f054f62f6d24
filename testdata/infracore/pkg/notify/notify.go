// Package notify tells systemd about the state of a service, as sd_notify(3) describes: one datagram to the
// socket that NOTIFY_SOCKET names. Without that variable nobody listens, and nothing is sent.
package notify

import (
	"fmt"
	"net"
	"os"
)

// The states that the services send.
const (
	Ready    = "READY=1"    // the listeners are open
	Stopping = "STOPPING=1" // a graceful stop has begun
)

// Send sends state to the service manager. It does nothing when no manager asked for it.
func Send(state string) error {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil
	}
	// A leading @ is an abstract socket; package net knows that form.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notify the service manager of %s: %w", state, err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify the service manager of %s: %w", state, err)
	}
	return nil
}
