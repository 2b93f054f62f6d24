//go:build !linux

package sqlite

import (
	"context"
	"errors"
	"time"
)

// errLinuxOnly is why databases cannot be read here: the locks that keep them from changing meanwhile, and that do not
// go when another part of this process closes the file, are Linux's.
var errLinuxOnly = errors.New("SQLite databases can be read safely beside their users on Linux only")

type readLock struct{}

func lockForReading(context.Context, string, time.Time) (*readLock, error) { return nil, errLinuxOnly }

func (*readLock) release() {}

func lockedBy(string) (int, error) { return 0, errLinuxOnly }
