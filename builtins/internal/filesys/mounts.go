package filesys

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// refuseMounts fails if something is mounted at or below a real path: moving the tree away would take it along,
// and deleting it would delete what is mounted.
func refuseMounts(path string) error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil // not Linux: there is nothing to look at
	}
	for _, at := range mountPoints(data) {
		if within(at, path) {
			return fmt.Errorf("%s: a file system is mounted at %s; unmount it first", path, at)
		}
	}
	return nil
}

// mountPoints reads where things are mounted from the fifth field of each line of a mountinfo.
func mountPoints(mountinfo []byte) []string {
	var points []string
	for line := range bytes.Lines(mountinfo) {
		fields := bytes.Fields(line)
		if len(fields) > 4 {
			points = append(points, unescapeMount(string(fields[4])))
		}
	}
	return points
}

// unescapeMount turns \040 and its like back into the bytes that they stand for.
func unescapeMount(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		if s[0] == '\\' && len(s) >= 4 {
			if n, err := strconv.ParseUint(s[1:4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				s = s[4:]
				continue
			}
		}
		b.WriteByte(s[0])
		s = s[1:]
	}
	return b.String()
}
