package runtime

import (
	"slices"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestDenied(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, policy, body string
		want               []string
	}{
		{"not declared", "", `box.put("/elsewhere/x", "1")`, []string{"/elsewhere/x is not declared by the recipe"}},
		{"read, not declared", "", `box.get("/elsewhere/x")`, []string{"/elsewhere/x is not declared"}},
		{"not allowed", `ALLOW = {"box": ["/opt/app"]}`, `box.put(DIR + "/x", "1")`, []string{"is not allowed by the policy"}},
		{"denied", "DENY = {\"box\": [DIR + \"/x\"]}", `box.put(DIR + "/x", "1")`, []string{"is not allowed by the policy"}},
		{"denied below", "DENY = {\"box\": [DIR + \"/sub/x\"]}", `box.put(DIR + "/sub", "1", tree = True)`, []string{"is not allowed by the policy"}},
		{"in attempt", "", `attempt(box.put, "/elsewhere/x", "1")`, []string{"/elsewhere/x is not declared"}},
		{"in parallel", "", `parallel([lambda: box.put("/elsewhere/x", "1")])`, []string{"/elsewhere/x is not declared"}},
		{"in attempt in parallel", "", `parallel([lambda: attempt(box.put, "/elsewhere/x", "1")])`, []string{"not declared"}},
		{"in parallel in attempt", "", `attempt(parallel, [lambda: box.put("/elsewhere/x", "1")])`, []string{"not declared"}},
		{"in a step", "", `run.step("S", lambda: box.put("/elsewhere/x", "1"))`, []string{"not declared"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			if tt.policy != "" {
				l.policy = l.write("policy.star", "DIR = "+starlark.String(l.dir).String()+"\n"+tt.policy)
			}
			for _, how := range []execution{(*Recipe).Preview, (*Recipe).Run} {
				r := l.execute(t.Context(), how, tt.body, nil)
				r.want(events.DeniedRun, ExitDenied).wantError(tt.want...).wantError("main.star:4")
				if slices.ContainsFunc(l.box.calls, func(c string) bool { return strings.HasPrefix(c, "probe") }) {
					t.Error("the machine was probed before permission was asked")
				}
				if strings.Contains(tt.body, "box.put") && len(r.Collector.Changes(events.Denied)) != 1 {
					t.Errorf("told %q, want one denied change", r.told())
				}
			}
			l.wantTree("")
		})
	}
}

func TestTreeIsCheckedOnlyIfReached(t *testing.T) {
	l := newLab(t)
	l.policy = l.write("policy.star", "DENY = {\"box\": [\""+l.dir+"/sub/x\"]}")
	l.run(`box.put(DIR + "/sub", "1")`).want(events.Succeeded, ExitDone)
}

// A refusal after changes were made ends in a rollback.
func TestDeniedAfterChanges(t *testing.T) {
	l := newLab(t)
	l.run(`
box.put(DIR + "/a", "1")
box.put("/elsewhere/x", "1")
`).want(events.RolledBack, ExitRolledBack).wantError("not declared")
	l.wantTree("")
}
