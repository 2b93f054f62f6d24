package stack

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// ask asks the gate, which asks a task of the site.
func (b *bed) ask() (string, error) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + b.s.Addresses[0] + ":9000/")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return strings.TrimSpace(string(text)), err
}

// asked is what became of requests.
type asked struct {
	answers map[string]int // how often each answer came
	failed  int
	last    error // why the last of the failed ones failed
}

func (a *asked) ask(b *bed) {
	text, err := b.ask()
	if err != nil {
		a.failed++
		a.last = err
		return
	}
	a.answers[text]++
}

// asking asks over and over until it is stopped, and then once more. A request that fails fails the test.
func (b *bed) asking(during string) (stop func() asked) {
	done, results := make(chan struct{}), make(chan asked)
	go func() {
		a := asked{answers: map[string]int{}}
		for {
			a.ask(b)
			select {
			case <-done:
				a.ask(b)
				results <- a
				return
			default:
			}
		}
	}()
	return func() asked {
		b.t.Helper()
		close(done)
		a := <-results
		b.t.Logf("%s: %d requests failed, answers were %v", during, a.failed, a.answers)
		if a.failed > 0 {
			b.t.Errorf("%s: %d requests failed, the last with %v", during, a.failed, a.last)
		}
		return a
	}
}

func TestDeploy(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", shop)
	empty := b.s.Services()
	c := b.Preview(deploying()).Want(events.WouldChange).Changes()[0]
	for _, want := range []string{"+ create network shop_default\n", "+ create config shop_motd-", "+ create service db\n", "+ create service site\n"} {
		if !strings.Contains(c.Diff, want) {
			t.Errorf("the preview lacks %q:\n%s", want, c.Diff)
		}
	}
	if c.Assumed == "" || b.s.Services() != empty {
		t.Fatalf("the preview assumes %q, and the swarm has\n%s", c.Assumed, b.s.Services())
	}
	b.Run(deploying()).Want(events.Succeeded)
	if text, err := b.ask(); err != nil || text != "1" {
		t.Fatalf("the site answers %q, %v", text, err)
	}
	versions, specs := b.versions(), b.specs()
	if c := b.Run(deploying()).Want(events.Succeeded).Changes()[0]; c.Status != events.Unchanged {
		t.Fatalf("again: %s\n%s", c.Summary, c.Diff)
	}
	b.Preview(deploying()).Want(events.NoChange)
	if now := b.versions(); !maps.Equal(now, versions) {
		t.Fatalf("a second time made the versions %v of %v", now, versions)
	}

	blue := deploying("COLOR", "blue", "PASSWORD", "correcthorse", "SITE_IMAGE", "app:2")
	c = b.Preview(blue).Want(events.WouldChange).Changes()[0]
	if !strings.Contains(c.Diff, "~ update service site (configs; environment: COLOR, PASSWORD; image app:2, was app:1; content of the image)\n") ||
		!strings.Contains(c.Diff, "leave service gate alone") || strings.Contains(c.Diff, "correcthorse") {
		t.Errorf("the preview says\n%s", c.Diff)
	}
	b.wantSame("after a preview", specs)

	stop := b.asking("a rolling update of 2 tasks")
	b.Run(blue).Want(events.Succeeded)
	if a := stop(); a.answers["1"] == 0 || a.answers["2"] == 0 {
		t.Errorf("the requests did not meet the update: answers were %v", a.answers)
	}
	if text, err := b.ask(); err != nil || text != "2" {
		t.Errorf("the site answers %q, %v", text, err)
	}
	now := b.versions()
	for _, same := range []string{"gate", "db"} {
		if now[same] != versions[same] {
			t.Errorf("service %s was touched", same)
		}
	}
	stop = b.asking("the rollback of 2 tasks")
	b.Rollback().Want(events.Restored)
	stop()
	b.wantSame("put back,", specs)
	if text, err := b.ask(); err != nil || text != "1" {
		t.Errorf("put back, the site answers %q, %v", text, err)
	}
	b.Preview(deploying()).Want(events.NoChange)
	b.NoTrace("correcthorse")
}

// A version that does not come up takes the whole stack back.
func TestBadVersion(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", shop)
	b.Run(deploying()).Want(events.Succeeded)
	specs := b.specs()
	for name, c := range map[string]struct {
		env  []string
		log  string // is shown, under the service's name
		want []string
	}{
		"exits at start": {[]string{"SITE_IMAGE", "app:dead", "DB_IMAGE", "app:2"}, "site | cannot open its database",
			[]string{"service shop_site: the swarm takes its update back", "cannot open its database"}},
		"fails its health check": {[]string{"SITE_IMAGE", "app:sick", "DB_IMAGE", "app:2"}, "site | starting version 3",
			[]string{"service shop_site: the swarm takes its update back", "starting version 3"}},
		"the other one, is paused": {[]string{"DB_IMAGE", "app:dead", "COLOR", "blue"}, "db | cannot open its database",
			[]string{"service shop_db: the swarm has paused its update"}},
	} {
		t.Run(name, func(t *testing.T) {
			stop := b.asking("a version that " + name)
			r := b.Run(deploying(c.env...)).Want(events.RolledBack).WantError(c.want...)
			stop()
			wantShown(t, r, c.log)
			b.wantSame(name+",", specs)
			if text, err := b.ask(); err != nil || text != "1" {
				t.Errorf("the site answers %q, %v", text, err)
			}
		})
	}
	// What has not failed and is not ready in time has its log shown, too.
	b.file("compose.yaml", withExtra(shop, "app:2"))
	r := b.Run(`stack.deploy(DIR, steady = 60, timeout = 6)`).Want(events.RolledBack).
		WantError("stack shop is not ready after 6s", "service shop_extra: 1 of 1 tasks run, for less than 1m0s", "starting version 2")
	wantShown(t, r, "extra | starting version 2")
	b.wantSame("after what takes too long,", specs)

	b.file("compose.yaml", withExtra(shop, "app:dead"))
	b.Run(deploying("COLOR", "green")).Want(events.RolledBack).WantError("service shop_extra: ", "cannot open its database")
	b.wantSame("after a new service that dies", specs)
}

// wantShown fails the test unless a line was shown, which is in the run's log then.
func wantShown(t *testing.T, r *familytest.Result, line string) {
	t.Helper()
	for _, e := range r.Events(events.Output) {
		if e.Text == line {
			return
		}
	}
	t.Errorf("%q was not shown", line)
}
