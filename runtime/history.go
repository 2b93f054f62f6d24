package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

// Record is what run.json holds: a run in short.
type Record struct {
	Run      events.Run      `json:"run"`
	Started  time.Time       `json:"started"`
	Finished time.Time       `json:"finished,omitzero"`
	PID      int             `json:"pid"`
	Outcome  *events.Outcome `json:"outcome,omitempty"`  // nil while it runs, or was killed
	Rollback *events.Outcome `json:"rollback,omitempty"` // of a rollback in another process, the last one
}

// Interrupted reports whether the run stopped without an outcome, or goes on.
func (r Record) Interrupted() bool { return r.Outcome == nil }

func (s *State) writeRecord(rec Record) error {
	data, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return err
	}
	return writeDurably(filepath.Join(s.RunDir(rec.Run.ID), "run.json"), append(data, '\n'))
}

// Runs returns all runs, newest first.
func (s *State) Runs() ([]Record, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "runs"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	var runs []Record
	for _, e := range slices.Backward(entries) {
		if !e.IsDir() {
			continue // somebody else's
		}
		rec, err := s.Record(e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // killed before it had begun anything
		} else if err != nil {
			return nil, err
		}
		runs = append(runs, rec)
	}
	return runs, nil
}

// Record returns one run in short. What run.json lacks, because the run was killed or the file is
// damaged, is taken from the journal.
func (s *State) Record(id string) (Record, error) {
	data, err := os.ReadFile(filepath.Join(s.RunDir(id), "run.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Record{}, fmt.Errorf("run %s: %w", id, err)
	}
	var rec Record
	if json.Unmarshal(data, &rec) == nil && rec.Run.ID == id && rec.Outcome != nil {
		return rec, nil
	}
	st, err := journal.Read(s.RunDir(id))
	switch {
	case err != nil && rec.Run.ID == id:
		return rec, nil // whoever needs the journal will say what is wrong with it
	case errors.Is(err, fs.ErrNotExist):
		return Record{}, fmt.Errorf("run %s: %w", id, err)
	case err != nil:
		return Record{Run: events.Run{ID: id}}, nil
	}
	if rec.Run.ID != id {
		rec = Record{
			Run:     events.Run{ID: id, Recipe: st.Meta.Recipe, Mode: events.ModeRun, Version: st.Meta.Version, Dir: s.RunDir(id)},
			Started: st.Meta.Started, PID: st.Meta.PID,
		}
	}
	rec.Outcome, rec.Finished = outcomeOf(st.Outcome), st.Ended
	return rec, nil
}

// outcomeOf is what a journal says of how its run ended, nil if it does not.
func outcomeOf(o journal.Outcome) *events.Outcome {
	result, ok := map[journal.Outcome]events.Result{
		journal.Committed:  events.Succeeded,
		journal.Clean:      events.Refused,
		journal.RolledBack: events.RolledBack,
		journal.Incomplete: events.Incomplete,
	}[o]
	if !ok {
		return nil
	}
	return &events.Outcome{Result: result, ExitCode: exitCodes[result], Error: "it was killed before it told how it ended"}
}

// Find returns the run that an operator named, by its id or an unambiguous beginning of it.
func (s *State) Find(name string) (Record, error) {
	runs, err := s.Runs()
	if err != nil {
		return Record{}, err
	}
	var found []Record
	for _, r := range runs {
		if r.Run.ID == name {
			return r, nil
		}
		if name != "" && strings.HasPrefix(r.Run.ID, name) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return Record{}, fmt.Errorf("there is no run %q; `infrarun runs` lists them", name)
	case 1:
		return found[0], nil
	}
	return Record{}, fmt.Errorf("%d runs begin with %s; give more of the name", len(found), name)
}
