// Package app is what the five services have in common around their handlers: flags, settings, log, signals,
// readiness and an orderly stop. A service brings a Build function; this package brings it up and down.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"infracore/pkg/config"
	"infracore/pkg/httpserver"
	"infracore/pkg/logging"
	"infracore/pkg/notify"
	"infracore/pkg/version"
)

// Service is what a Build function makes.
type Service struct {
	Handler    http.Handler
	Endpoints  []httpserver.Endpoint
	Background func(context.Context) // runs beside the handler until its context is done; nil: nothing
	Close      func() error          // called last, when no request is under way; nil: nothing to close
}

// Build makes a service from its settings. It must not listen or start anything.
type Build func(config.Config, *slog.Logger) (Service, error)

// Main is the main function of the service name. It exits 0 after a graceful stop (SIGTERM or SIGINT), 1 when
// the service cannot start or fails, 2 on a wrong command line. A second signal ends the process at once.
func Main(name string, build Build) {
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	showVersion := flags.Bool("version", false, "print the version and exit")
	askHealth := flags.Bool("healthcheck", false, "ask the service that runs here for its health; exit 1 unless it is healthy")
	_ = flags.Parse(os.Args[1:]) // ExitOnError
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s: unexpected argument %q; settings come from configs/ and INFRA_CORE_* variables\n",
			name, flags.Arg(0))
		os.Exit(2)
	}
	if *showVersion {
		fmt.Println(name, version.Version)
		return
	}
	if *askHealth {
		if err := healthcheck(context.Background(), name, os.Getenv); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	// From the first signal on, the next one has its usual effect.
	context.AfterFunc(ctx, stop)
	if err := start(ctx, name, build, os.Stderr); err != nil {
		os.Exit(1)
	}
}

// start reads the settings from the working directory, opens the log and runs the service. What it returns is
// logged already.
func start(ctx context.Context, name string, build Build, stderr io.Writer) error {
	cfg, err := config.Load(".", os.Getenv)
	if err != nil {
		logging.New(name, stderr).Error("cannot start", "err", err)
		return err
	}
	log, closer, err := logging.Open(name, cfg.LogDir, stderr)
	if err != nil {
		logging.New(name, stderr).Error("cannot start", "err", err)
		return err
	}
	defer closer.Close()
	if err := Run(ctx, name, cfg, log, build, nil); err != nil {
		log.Error("ends", "err", err)
		return err
	}
	return nil
}

// Run builds the service and serves until ctx is done. When the listeners are open it tells the service manager
// and calls ready, unless that is nil, with their addresses.
func Run(ctx context.Context, name string, cfg config.Config, log *slog.Logger, build Build, ready func([]string)) (err error) {
	svc, err := build(cfg, log)
	if err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	if svc.Close != nil {
		defer func() { err = errors.Join(err, svc.Close()) }()
	}
	srv, err := httpserver.Listen(svc.Handler, log, svc.Endpoints...)
	if err != nil {
		return err
	}
	// The background work also ends when serving fails, and before Close.
	background, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if svc.Background != nil {
		wg.Go(func() { svc.Background(background) })
	}
	log.Info("started", "version", version.Version, "env", cfg.Env, "pid", os.Getpid())
	if err := notify.Send(notify.Ready); err != nil {
		log.Warn("readiness is not known", "err", err)
	}
	if ready != nil {
		ready(srv.Addrs())
	}
	err = srv.Run(ctx, func() {
		log.Info("stopping")
		_ = notify.Send(notify.Stopping) // of no consequence: the manager sees the process end
	})
	if err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}
