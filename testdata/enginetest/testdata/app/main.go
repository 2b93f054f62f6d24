// Command app is what the containers of the tests run. It needs nothing but itself.
//
//	app serve          answers with VERSION on port PORT (8080), after START_DELAY; if CRASH_AFTER is set, it ends then,
//	                   with exit status 3, and with SICK=1 its check fails
//	app proxy URL      answers on port PORT with what URL answers, asked anew each time
//	app need URL       ends with exit status 1 unless URL answers; then as serve
//	app check          asks it; exit status 1 if it is not well
//	app exit CODE      says so, and ends
//	app write FILE TEXT, app cat FILE, app env
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "serve":
		return serve()
	case len(args) == 2 && args[0] == "proxy":
		return proxy(args[1])
	case len(args) == 2 && args[0] == "need":
		if _, err := http.Get(args[1]); err != nil {
			return err
		}
		return serve()
	case len(args) == 1 && args[0] == "check":
		return check()
	case len(args) == 1 && args[0] == "env":
		fmt.Println(strings.Join(os.Environ(), "\n"))
		return nil
	case len(args) == 2 && args[0] == "exit":
		fmt.Fprintln(os.Stderr, "cannot open its database")
		code, err := strconv.Atoi(args[1])
		if err == nil {
			os.Exit(code)
		}
		return err
	case len(args) == 2 && args[0] == "cat":
		text, err := os.ReadFile(args[1])
		fmt.Print(string(text))
		return err
	case len(args) == 3 && args[0] == "write":
		return os.WriteFile(args[1], []byte(args[2]), 0o640)
	}
	return fmt.Errorf("arguments %q", args)
}

func port() string {
	if p := os.Getenv("PORT"); p != "" {
		return p
	}
	return "8080"
}

func serve() error {
	fmt.Println("starting version", os.Getenv("VERSION"))
	server := &http.Server{Addr: ":" + port()}
	stopped := endGently(server)
	delay, _ := time.ParseDuration(os.Getenv("START_DELAY"))
	time.Sleep(delay)
	if life, err := time.ParseDuration(os.Getenv("CRASH_AFTER")); err == nil {
		time.AfterFunc(life, func() {
			fmt.Fprintln(os.Stderr, "out of luck")
			os.Exit(3)
		})
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("SICK") == "1" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, os.Getenv("VERSION"))
	})
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	<-stopped
	return nil
}

// endGently has a server end at a SIGTERM, when it has answered the requests that are under way. What it returns is closed
// then.
func endGently(server *http.Server) <-chan struct{} {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	stopped := make(chan struct{})
	go func() {
		<-term
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
		close(stopped)
	}()
	return stopped
}

func proxy(url string) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answer, err := client.Get(url)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	})
	server := &http.Server{Addr: ":" + port()}
	stopped := endGently(server)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	<-stopped
	return nil
}

func check() error {
	answer, err := http.Get("http://127.0.0.1:" + port())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New("the check says " + answer.Status)
	}
	fmt.Print(string(text))
	return err
}
