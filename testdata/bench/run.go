package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is where the measurements take place.
type bench struct {
	infrarun string
	dir      string
	prefix   string // of the deployment; "" before there is one
}

// timing is how long a command took and how much memory it had at most.
type timing struct {
	wall time.Duration
	rss  int64 // bytes
	out  []byte
}

// time runs a command and fails unless it exits with one of the codes.
func (b *bench) time(codes []int, argv ...string) (timing, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "INFRARUN_STATE_DIR="+filepath.Join(b.dir, "state"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	begin := time.Now()
	err := cmd.Run()
	wall := time.Since(begin)
	if cmd.ProcessState == nil {
		return timing{}, err
	}
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(codes, code) {
		return timing{}, fmt.Errorf("%s: exit code %d\n%s%s", strings.Join(argv, " "), code, out.Bytes(), errs.Bytes())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return timing{wall, usage.Maxrss << 10, out.Bytes()}, nil
}

// median runs a command several times. Prepare, if any, runs before each.
func (b *bench) median(n int, codes []int, prepare func() error, argv ...string) (timing, error) {
	var all []timing
	for range n {
		if prepare != nil {
			if err := prepare(); err != nil {
				return timing{}, err
			}
		}
		t, err := b.time(codes, argv...)
		if err != nil {
			return timing{}, err
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b timing) int { return int(a.wall - b.wall) })
	return all[n/2], nil
}

func (b *bench) startup() ([]row, error) {
	own, err := b.median(31, []int{0}, nil, b.infrarun, "version")
	if err != nil {
		return nil, err
	}
	nothing, err := b.median(31, []int{0}, nil, "/bin/true")
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(b.infrarun)
	if err != nil {
		return nil, err
	}
	return []row{
		{"start-up (infrarun version)", ms(own.wall), "20 ms", "/bin/true: " + ms(nothing.wall)},
		{"size of the binary", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), "", ""},
	}, nil
}
