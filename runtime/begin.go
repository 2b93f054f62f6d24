package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
	"github.com/infrarun/infrarun/runtime/policy"
	"github.com/infrarun/infrarun/runtime/redact"
)

// prepare makes everything that both a preview and a run need.
func (r *Run) prepare(recipe *Recipe, values Values, opts Options) error {
	r.host, r.recipe, r.base = recipe.host, recipe, recipe.host.dir
	r.equip(opts)
	vars := map[string]string{}
	for name, v := range values {
		p := recipe.param(name)
		if p == nil {
			return fmt.Errorf("%s has no param %s", recipe.Name, name)
		}
		if p.Kind != SecretParam {
			vars[name] = plain(v.V)
			continue
		}
		if text := plain(v.V); text != "" {
			if err := r.secrets.Add(text); err != nil {
				return fmt.Errorf("--%s: %w", p.Flag(), err)
			}
		}
	}
	declared, err := policy.Parse(r.host.reg.permissions, recipe.permissions, vars)
	if err != nil {
		return fmt.Errorf("%s: PERMISSIONS: %w", recipe.Name, err)
	}
	r.guard = newGuard(declared, recipe.policy)
	return nil
}

// equip makes what a rollback in another process needs as well.
func (r *Run) equip(opts Options) {
	r.state, r.world, r.started, r.secrets = opts.State, &World{}, time.Now(), redact.New()
	if opts.UI != nil {
		r.ui = discreetUI{opts.UI, r.secrets}
	}
	sinks := slices.DeleteFunc(slices.Clone(opts.Sinks), func(s events.Sink) bool { return s == nil })
	r.bus = events.NewBus(r.secrets, nil, sinks...)
}

// begin takes the lock and makes the run's directory. If it fails, nothing of the run is left.
func (r *Run) begin(values Values) (*Lock, error) {
	lock, err := r.state.Lock(Holder{PID: os.Getpid(), Run: "(starting)", Recipe: r.recipe.Name, Started: r.started})
	if err != nil {
		return nil, err
	}
	if err = r.open(values, lock); err != nil {
		lock.Release()
		return nil, err
	}
	return lock, nil
}

func (r *Run) open(values Values, lock *Lock) (err error) {
	pending, ok, err := r.state.unfinished()
	if err != nil {
		return err
	} else if ok {
		return &PendingError{pending.Run.ID}
	}
	if err := r.state.makeBuildCache(); err != nil {
		return err
	}
	if r.id, r.dir, err = r.state.newRun(r.started); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			r.forget()
		}
	}()
	if err := lock.name(Holder{PID: os.Getpid(), Run: r.id, Recipe: r.recipe.Name, Started: r.started}); err != nil {
		return err
	}
	if err := r.saveSources(); err != nil {
		return fmt.Errorf("keep the recipe's sources: %w", err)
	}
	shown := r.describe(values)
	if err := r.openJournal(shown); err != nil {
		return err
	}
	r.rec = Record{Run: *shown, Started: r.started, PID: os.Getpid()}
	if err := r.state.writeRecord(r.rec); err != nil {
		return err
	}
	return r.addFiles()
}

// forget removes the directory of a run that did not begin.
func (r *Run) forget() {
	if r.journal != nil {
		r.journal.Close(journal.Unfinished) // it holds no change
	}
	os.RemoveAll(r.dir) // what stays has no record, and is removed with the runs that are too old
	r.dir, r.journal = "", nil
}

func (r *Run) openJournal(shown *events.Run) error {
	g := given{Params: shown.Params, Permissions: r.recipe.permissions, Dir: r.base, Shown: r.recipe.loader.sources.prefixes()}
	if r.recipe.policy != nil {
		g.Policy = r.recipe.policyModule.path
		g.Shown[policyKey] = r.recipe.policySources.prefixes()[policyKey]
	}
	args, err := json.Marshal(g)
	if err != nil {
		return err
	}
	r.journal, err = journal.Create(r.dir, journal.Meta{
		Run: r.id, Recipe: r.recipe.Name, Version: r.host.Version, Started: r.started, PID: os.Getpid(),
		Args: r.secrets.Any(json.RawMessage(args)).(json.RawMessage),
	})
	return err
}

// saveSources keeps every module that was loaded, the policy's too.
func (r *Run) saveSources() error {
	dir := filepath.Join(r.dir, "sources")
	if err := r.recipe.loader.sources.save(dir); err != nil {
		return err
	}
	if r.recipe.policy == nil {
		return nil
	}
	return r.recipe.policySources.save(dir)
}

// given is what a rollback in another process must know of the run beside its journal.
type given struct {
	Params      map[string]string   `json:"params"` // without secrets
	Permissions map[string][]string `json:"permissions"`
	Policy      string              `json:"policy,omitempty"` // the operator's, in the sources
	Dir         string              `json:"dir"`              // what relative paths are relative to
	Shown       map[string]string   `json:"shown"`            // what precedes a module's path in messages, by root
}

// describe says what is being run, for the first event and for run.json.
func (r *Run) describe(values Values) *events.Run {
	d := &events.Run{
		ID: r.id, Recipe: r.recipe.Name, Source: r.recipe.Source, Doc: firstSentence(r.recipe.Doc),
		Site: r.recipe.Site, Mode: r.mode, Dir: r.dir, Version: r.host.Version, Params: map[string]string{},
	}
	if r.dir == "" {
		d.ID = "" // what leaves nothing behind has no name to be found by
	}
	for name, v := range values {
		d.Params[name] = r.secrets.String(plain(v.V))
	}
	return d
}

// addFiles lets the run's own files receive the events. A rollback goes on with the log, and has a
// report of its own.
func (r *Run) addFiles() error {
	log, err := appendTo(filepath.Join(r.dir, "deploy.log"))
	if err != nil {
		return err
	}
	jsonl, err := appendTo(filepath.Join(r.dir, "events.jsonl"))
	if err != nil {
		return errors.Join(err, log.Close())
	}
	report := "report.html"
	if r.mode == events.ModeRollback {
		report = "rollback.html"
	}
	r.bus.Add(closing{events.NewLog(log), log})
	r.bus.Add(closing{events.NewJSON(jsonl), jsonl})
	r.bus.Add(events.NewReport(replacing(filepath.Join(r.dir, report))))
	r.bus.Add(events.NewMetrics(replacing(filepath.Join(r.dir, "metrics.prom"))))
	return nil
}
