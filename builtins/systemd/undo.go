package systemd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/infrarun/infrarun/runtime"
)

// runUndo are the arguments of the undo of what starts or stops a unit.
type runUndo struct {
	Unit       string        `json:"unit"`
	Ran        bool          `json:"ran"`        // it did before
	Failed     bool          `json:"failed"`     // it had failed before
	Failing    bool          `json:"failing"`    // it failed again and again
	First      bool          `json:"first"`      // see overlay.comesFirst
	Pulled     []string      `json:"pulled"`     // units that did not run, and were started with it
	Dependents []string      `json:"dependents"` // units that ran, and were stopped with it
	Timeout    time.Duration `json:"timeout"`    // for each of them
}

func (u runUndo) unit() string { return u.Unit }

// undoRun makes a unit run, or not, as it did before.
func undoRun(ctx context.Context, w *runtime.Writer, args runUndo) error {
	x, err := newWriter(ctx, w)
	if err != nil {
		return err
	}
	defer x.close()
	if !args.Ran {
		return x.putDown(ctx, args)
	}
	if !args.First {
		return nil // what it reads may not be back yet: the first change of the unit has it run again
	}
	err = x.putUp(ctx, []string{args.Unit}, args.Timeout)
	if args.Failing {
		err = nil // it fails again, as it did before, and systemd goes on to start it
	}
	return errors.Join(err, x.putUp(ctx, args.Dependents, args.Timeout))
}

// putDown stops a unit, and then what was started with it and nobody else needs.
func (x *writer) putDown(ctx context.Context, args runUndo) error {
	err := x.stopIfOn(ctx, args.Unit, args.Timeout)
	if !args.Failed {
		x.resetFailed(ctx, args.Unit)
	}
	for _, unit := range args.Pulled {
		s, serr := x.state(ctx, unit)
		if serr == nil && s.on() {
			var wanted bool
			if wanted, serr = x.wanted(ctx, s); serr == nil && !wanted {
				serr = x.stopIfOn(ctx, unit, args.Timeout)
			}
		}
		err = errors.Join(err, serr)
	}
	return err
}

func (x *writer) stopIfOn(ctx context.Context, unit string, timeout time.Duration) error {
	s, err := x.state(ctx, unit)
	if err != nil || s.Active == "inactive" || s.Active == "failed" {
		return err // also if it is gone, with its file
	}
	return x.run(ctx, stop, unit, timeout)
}

// putUp starts units that do not run.
func (x *writer) putUp(ctx context.Context, units []string, timeout time.Duration) error {
	var errs []error
	for _, unit := range units {
		s, err := x.state(ctx, unit)
		if err == nil && !s.up() {
			x.resetFailed(ctx, unit)
			err = x.run(ctx, start, unit, timeout)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("start %s again: %w", unit, err))
		}
	}
	return errors.Join(errs...)
}

// left is what a change has left of a unit.
type left struct {
	On    bool     `json:"on"`
	Files string   `json:"files"` // a hash of its file and drop-ins
	Links []string `json:"links"`
}

// leftOf looks at a unit after a change.
func leftOf(ctx context.Context, b *bus, unit string) (left, error) {
	var l left
	file := unitPath(unit, "")
	if !isTemplate(unit) {
		s, err := b.state(ctx, unit)
		if err != nil {
			return l, err
		}
		l.On = s.on()
		if s.Fragment != "" {
			file = s.Fragment
		}
	}
	dropIns, err := filepath.Glob(filepath.Join(unitDir, unit+".d", "*.conf"))
	if err != nil {
		return l, err
	}
	if l.Files, err = hashOf(append([]string{file}, dropIns...)); err != nil {
		return l, err
	}
	all, _, err := allLinks(onDisk)
	about := all.of([]string{unit})
	maps.DeleteFunc(about, func(path, _ string) bool { return templateOf(filepath.Base(path)) == unit }) // those of an instance
	l.Links = about.lines()
	return l, err
}

// hashOf returns a hash of the names and contents of files, of which some may not be there.
func hashOf(files []string) (string, error) {
	sum := sha256.New()
	for _, name := range files {
		f, err := os.Open(name)
		if ignoreNotExist(err) != nil {
			return "", err
		} else if err != nil {
			continue
		}
		fmt.Fprintf(sum, "%s\x00", name)
		_, err = io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// driftOf says how a unit differs from what a change has left.
func driftOf[A interface{ unit() string }](ctx context.Context, _ *runtime.Reader, args A, was left) (string, error) {
	b, err := connect(ctx)
	if err != nil {
		return "", err
	}
	defer b.close()
	now, err := leftOf(ctx, b, args.unit())
	if err != nil {
		return "", err
	}
	var lines []string
	if was.Files != now.Files {
		lines = append(lines, "its file has changed")
	}
	if !slices.Equal(was.Links, now.Links) {
		lines = append(lines, fmt.Sprintf("its links have changed, from %q to %q", was.Links, now.Links))
	}
	switch {
	case was.On && !now.On:
		lines = append(lines, "it ran, and does not any more")
	case !was.On && now.On:
		lines = append(lines, "it did not run, and does now")
	}
	return strings.Join(lines, "; "), nil
}
