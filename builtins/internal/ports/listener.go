package ports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// Owner is the process that listens on a port. PID is 0 if somebody listens but this user may not
// see who.
type Owner struct {
	PID     int
	Name    string   // as the kernel shows it, at most 15 bytes: "nginx"
	Command []string // its arguments
}

// Listener returns who listens on a TCP port of this machine, on any address. Found tells whether
// anybody does. Where several processes share the listening socket, the oldest is returned. An error
// means that the kernel's tables cannot be read.
func Listener(port int) (owner Owner, found bool, err error) {
	inodes, err := listening("/proc", port)
	if err != nil || len(inodes) == 0 {
		return Owner{}, false, err
	}
	pid := holder("/proc", inodes)
	if pid == 0 {
		return Owner{}, true, nil
	}
	owner = Owner{PID: pid, Command: proc.Command(pid)}
	if s, err := proc.ReadStat(pid); err == nil { // it may end at any time: then it stays without a name
		owner.Name = s.Name
	}
	return owner, true, nil
}

// listening returns the inodes of the sockets that listen on port.
func listening(root string, port int) ([]uint64, error) {
	var inodes []uint64
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open(filepath.Join(root, "net", table))
		if errors.Is(err, fs.ErrNotExist) && table == "tcp6" {
			continue // a machine without IPv6
		} else if err != nil {
			return nil, fmt.Errorf("find out who listens on port %d: %w", port, err)
		}
		found, err := parseTable(f, port)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("find out who listens on port %d: %s: %w", port, f.Name(), err)
		}
		inodes = append(inodes, found...)
	}
	return inodes, nil
}

const stateListen = "0A" // TCP_LISTEN in the kernel's tcp_states.h

// parseTable reads a table of sockets in the format of /proc/net/tcp and returns the inodes of those
// that listen on port. Lines that it does not understand are passed over.
func parseTable(r io.Reader, port int) ([]uint64, error) {
	var inodes []uint64
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		// sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != stateListen {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		n, err := strconv.ParseUint(hex, 16, 16)
		if err != nil || int(n) != port {
			continue
		}
		if inode, err := strconv.ParseUint(fields[9], 10, 64); err == nil {
			inodes = append(inodes, inode)
		}
	}
	return inodes, lines.Err()
}

// holder returns the oldest process that has one of the sockets open, 0 if none can be seen.
func holder(root string, inodes []uint64) int {
	links := make([]string, len(inodes))
	for i, inode := range inodes {
		links[i] = fmt.Sprintf("socket:[%d]", inode)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return 0
	}
	oldest, since := 0, uint64(0)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !holds(filepath.Join(root, e.Name(), "fd"), links) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, e.Name(), "stat"))
		if err != nil {
			continue
		}
		if s, err := proc.ParseStat(text); err == nil && (oldest == 0 || s.Start < since) {
			oldest, since = pid, s.Start
		}
	}
	return oldest
}

func holds(dir string, links []string) bool {
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false // gone, or another user's
	}
	for _, fd := range fds {
		if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && slices.Contains(links, to) {
			return true
		}
	}
	return false
}
