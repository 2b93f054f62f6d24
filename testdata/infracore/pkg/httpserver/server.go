// Package httpserver serves HTTP on one or more listeners and stops without cutting off a request: it closes
// the listeners, waits for the requests that are under way, and only then closes what is left. It knows nothing
// of the services that use it.
package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Drain is how long a stop waits for requests. Service managers are told to allow 5 s in all.
const Drain = 4 * time.Second

// Endpoint is an address to listen on, host:port. With TLS set, it serves HTTPS.
type Endpoint struct {
	Addr string
	TLS  *tls.Config
}

// Server has open listeners. Run serves on them.
type Server struct {
	http      *http.Server
	log       *slog.Logger
	listeners []net.Listener
}

// Listen opens every endpoint or none. From then on, clients can connect; they wait until Run answers.
func Listen(handler http.Handler, log *slog.Logger, endpoints ...Endpoint) (*Server, error) {
	s := &Server{log: log, http: &http.Server{
		Handler:           logRequests(log, handler),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
	for _, e := range endpoints {
		l, err := net.Listen("tcp", e.Addr)
		if err != nil {
			s.closeListeners()
			return nil, err // names the address and the cause already
		}
		scheme := "http"
		if e.TLS != nil {
			l, scheme = tls.NewListener(l, e.TLS), "https"
		}
		log.Info("listening", "url", scheme+"://"+l.Addr().String())
		s.listeners = append(s.listeners, l)
	}
	return s, nil
}

// Addrs returns the addresses that are listened on, in the order of the endpoints.
func (s *Server) Addrs() []string {
	var addrs []string
	for _, l := range s.listeners {
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// Run serves until ctx is done, then calls stopping, stops gracefully and returns nil. It returns an error when
// serving fails.
func (s *Server) Run(ctx context.Context, stopping func()) error {
	failed := make(chan error, len(s.listeners))
	for _, l := range s.listeners {
		go func() {
			if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve on %s: %w", l.Addr(), err)
			}
		}()
	}
	select {
	case <-ctx.Done():
	case err := <-failed:
		return errors.Join(err, s.http.Close())
	}
	stopping()
	// ctx is done already: the drain needs a deadline of its own.
	drain, cancel := context.WithTimeout(context.Background(), Drain)
	defer cancel()
	err := s.http.Shutdown(drain)
	s.closeListeners() // one that Serve had not yet taken over is not closed by Shutdown
	if errors.Is(err, context.DeadlineExceeded) {
		// The stop was asked for and is complete, so this is no failure; but somebody may miss an answer.
		s.log.Warn("connections were still open after the drain and are cut off", "drain", Drain)
		return s.http.Close()
	}
	return err
}

func (s *Server) closeListeners() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
}
