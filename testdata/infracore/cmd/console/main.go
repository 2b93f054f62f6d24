// Command console is the API of the stack: notes in an SQLite database, and the status of all services.
//
// `console token 1h` prints a token that allows writing for that long, signed with the secret of the service.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"infracore/pkg/app"
	"infracore/pkg/config"
	"infracore/pkg/httpserver"
	"infracore/pkg/token"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "token" {
		secret, err := config.ReadSecret(os.Getenv)
		if err == nil {
			err = printToken(os.Stdout, secret.Reveal(), os.Args[2:])
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "console:", err)
			os.Exit(1)
		}
		return
	}
	app.Main("console", build)
}

// build opens the database and makes the service.
func build(cfg config.Config, log *slog.Logger) (app.Service, error) {
	st, err := openStore(cfg.Console.DBPath)
	if err != nil {
		return app.Service{}, err
	}
	return app.Service{
		Handler:   token.Guard(cfg, newAPI(cfg, log, st)),
		Endpoints: []httpserver.Endpoint{{Addr: cfg.ListenAddr(cfg.Console.Port)}},
		Close:     st.Close,
	}, nil
}

func printToken(w io.Writer, secret string, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: console token DURATION, for example: console token 1h")
	}
	ttl, err := time.ParseDuration(args[0])
	if err != nil || ttl <= 0 {
		return fmt.Errorf("%q is not a duration: want, for example, 30m or 1h", args[0])
	}
	tok, err := token.New(secret, time.Now().Add(ttl))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, tok)
	return err
}
