package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// bus is a connection to systemd, for what only looks. What changes anything is to be had only for a run's writer.
type bus struct {
	conn *sd.Conn
	raw  *dbus.Conn // the connection below it, for what conn has no method for
	end  context.CancelFunc
}

const (
	booted     = "/run/systemd/system" // is there if process 1 is systemd
	privateBus = "unix:path=/run/systemd/private"

	managerName = "org.freedesktop.systemd1"
	managerPath = dbus.ObjectPath("/org/freedesktop/systemd1")
	manager     = managerName + ".Manager."

	// patience is how long systemd has for an answer. It may be reading its units anew.
	patience = 90 * time.Second
)

// connect opens a connection: over the system bus or, where root finds none, to systemd itself.
func connect(ctx context.Context) (*bus, error) {
	if !isBooted() {
		return nil, fmt.Errorf("there is no systemd on this machine, process 1 is %s; ask systemd.available() first", firstProcess())
	}
	// The connection outlives ctx, so that what became of a change that was cancelled can still be asked.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, end)()
	b := &bus{end: end}
	err := b.open(life, overBus)
	if err != nil && os.Geteuid() == 0 {
		err = b.open(life, directly)
	}
	if err != nil {
		end()
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("talk to systemd over D-Bus: %w; is dbus.service running?", err)
	}
	return b, nil
}

func isBooted() bool {
	info, err := os.Stat(booted)
	return err == nil && info.IsDir()
}

// firstProcess names process 1.
func firstProcess() string {
	name, err := os.ReadFile("/proc/1/comm")
	if err != nil {
		return "another program"
	}
	return strings.TrimSpace(string(name))
}

// open makes the library's connection. It takes two: the first for calls, the second for signals.
func (b *bus) open(ctx context.Context, dial func(context.Context) (*dbus.Conn, error)) (err error) {
	b.raw = nil
	b.conn, err = sd.NewConnection(func() (*dbus.Conn, error) {
		conn, err := dial(ctx)
		if err == nil && b.raw == nil {
			b.raw = conn
		}
		return conn, err
	})
	return err
}

func overBus(ctx context.Context) (*dbus.Conn, error) {
	conn, err := dbus.SystemBusPrivate(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err = authenticate(conn); err == nil {
		err = conn.Hello()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func directly(ctx context.Context) (*dbus.Conn, error) {
	conn, err := dbus.Dial(privateBus, dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if err := authenticate(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func authenticate(conn *dbus.Conn) error {
	return conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))})
}

// close ends the connection.
func (b *bus) close() {
	b.conn.Close()
	b.end()
}

// state asks what systemd knows of a unit. One that does not exist is no error: its Load is not-found.
func (b *bus) state(ctx context.Context, unit string) (state, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := b.conn.GetAllPropertiesContext(ctx, unit)
	if err != nil {
		return state{}, explainBus(ctx, err)
	}
	s := stateOf(unit, p)
	s.File, err = b.fileState(ctx, s.Unit)
	return s, err
}

// fileState asks how a unit is enabled. It looks at the links themselves; the property of the unit is what it was when
// systemd last read its files.
func (b *bus) fileState(ctx context.Context, unit string) (string, error) {
	var state string
	err := b.raw.Object(managerName, managerPath).CallWithContext(ctx, manager+"GetUnitFileState", 0, unit).Store(&state)
	var answer dbus.Error
	if errors.As(err, &answer) && answer.Name == "org.freedesktop.DBus.Error.FileNotFound" {
		return "", nil // such as a scope, which is made at run time
	}
	return state, explainBus(ctx, err)
}

// version asks which systemd it is, 0 if that cannot be told.
func (b *bus) version() int {
	text, err := b.conn.GetManagerProperty("Version") // "252.39-1~deb12u1", in quotes
	if err != nil {
		return 0
	}
	return leadingNumber(strings.Trim(text, `"v`))
}

func leadingNumber(text string) int {
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		text = text[:end]
	}
	n, _ := strconv.Atoi(text) // no number is 0
	return n
}

// explainBus says what an answer of systemd means for whoever runs infrarun.
func explainBus(ctx context.Context, err error) error {
	var answer dbus.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("systemd does not answer within %v", patience)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !errors.As(err, &answer):
		return fmt.Errorf("ask systemd over D-Bus: %w", err)
	}
	switch answer.Name {
	case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired":
		return fmt.Errorf("systemd refuses it to this user, only root may; run infrarun with sudo: %w", err)
	}
	return fmt.Errorf("systemd: %w", err)
}
