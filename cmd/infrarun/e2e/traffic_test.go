package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// traffic is clients that ask a site over and over while it is updated, one for each address that is asked.
type traffic struct {
	t       testing.TB
	clients []*client
	stop    context.CancelFunc
	ended   sync.WaitGroup
}

// client asks one address, about 50 times a second, each time over a new connection.
type client struct {
	what  string
	needs []string // the services that an answer takes
	url   string

	asked, failed int
	last          error         // why the last of the failed ones failed
	answered      time.Time     // when the last answer came
	missing       bool          // no answer has come since then
	gap           time.Duration // the longest time without an answer
	versions      []string      // that the answers told, in order, none twice in a row
}

const (
	betweenRequests = 20 * time.Millisecond
	requestTimeout  = 10 * time.Second // long: a busy machine is no lost request
)

// ask begins to ask every service on its own port, and those behind the gate through it. Each has answered once when
// this returns.
func (s *site) ask(t testing.TB) *traffic {
	t.Helper()
	paths := map[string]string{"console": "/api/v1/health", "orch": "/orchestrator/health", "probe": "/probe/health", "snap": "/snap/health"}
	ctx, stop := context.WithCancel(t.Context())
	a := &traffic{t: t, stop: stop}
	add := func(what, port, path string, needs ...string) {
		a.clients = append(a.clients, &client{what: what, needs: needs, url: s.url(port, path)})
	}
	for _, name := range services {
		if name == "gate" {
			add(name, "http", "/health", name)
			continue
		}
		add(name, name, "/health", name)
		add(name+" through the gate", "http", paths[name], name, "gate")
	}
	for _, c := range a.clients {
		if c.ask(); c.failed > 0 {
			t.Fatalf("%s does not answer: %v", c.what, c.last)
		}
		a.ended.Go(func() { c.run(ctx) })
	}
	return a
}

func (c *client) run(ctx context.Context) {
	tick := time.NewTicker(betweenRequests)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			c.ask() // what runs now is among the answers
			return
		case <-tick.C:
			c.ask()
		}
	}
}

// asking has every request make a connection of its own.
var asking = http.Client{Timeout: requestTimeout, Transport: &http.Transport{DisableKeepAlives: true}}

func (c *client) ask() {
	c.asked++
	version, err := c.get()
	now := time.Now()
	if err != nil {
		c.failed++
		c.last, c.missing = err, true
		return
	}
	if c.missing {
		c.gap = max(c.gap, now.Sub(c.answered))
	}
	c.answered, c.missing = now, false
	if len(c.versions) == 0 || c.versions[len(c.versions)-1] != version {
		c.versions = append(c.versions, version)
	}
}

// get returns the version that the answer tells.
func (c *client) get() (string, error) {
	resp, err := asking.Get(c.url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var health struct{ Version string }
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(text, &health)
	}
	if err != nil || resp.StatusCode != http.StatusOK || health.Version == "" {
		return "", fmt.Errorf("%s %s %w", resp.Status, text, err)
	}
	return health.Version, nil
}

// changed ends the requests, logs what became of them, and fails the test if a service that was to stay lost one, or
// if one that was to change did not.
func (a *traffic) changed(names ...string) {
	a.t.Helper()
	a.stop()
	a.ended.Wait()
	for _, c := range a.clients {
		a.t.Logf("%-24s %4d requests, %3d failed, longest gap %v", c.what, c.asked, c.failed, c.gap.Round(time.Millisecond))
		if c.missing {
			a.t.Errorf("%s does not answer at the end: %v", c.what, c.last)
		}
		touched := slices.ContainsFunc(c.needs, func(need string) bool { return slices.Contains(names, need) })
		if !touched && c.failed > 0 {
			a.t.Errorf("%s was not changed, and %d of %d requests failed, the last with %v", c.what, c.failed, c.asked, c.last)
		}
		want := 1
		if slices.Contains(names, c.needs[0]) {
			want = 2
		}
		if len(c.versions) != want || c.asked < 10 {
			a.t.Errorf("%s told in %d answers the versions %s, want %d", c.what, c.asked-c.failed, strings.Join(c.versions, ", "), want)
		}
	}
}
