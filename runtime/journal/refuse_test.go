package journal

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestRefusalsLeaveTheJournalUsable(t *testing.T) {
	noUndo, noKind, odd, strange := write("/x"), write("/x"), run("/x"), write("/x")
	noUndo.Undo = nil
	noKind.Undo = &Undo{}
	odd.Undo = &Undo{Kind: "k"}
	strange.Class = "maybe"
	badJSON, huge := write("/x"), write("/x")
	badJSON.Undo.Args = json.RawMessage(`{`)
	huge.Undo.Args = json.RawMessage(`"` + strings.Repeat("x", maxPayload) + `"`)

	tests := []struct {
		name string
		do   func(j *Journal) error
		want string
	}{
		{"class exact without undo", func(j *Journal) error { return j.Intend(noUndo) }, `class "exact" without an undo`},
		{"class none with undo", func(j *Journal) error { return j.Intend(odd) }, `class "none" with an undo`},
		{"undo without kind", func(j *Journal) error { return j.Intend(noKind) }, "undo without a kind"},
		{"unknown class", func(j *Journal) error { return j.Intend(strange) }, `unknown class "maybe"`},
		{"one bad entry of two", func(j *Journal) error { return j.Intend(write("/y"), noUndo) }, "without an undo"},
		{"arguments that are not JSON", func(j *Journal) error { return j.Intend(badJSON) }, "encode"},
		{"too much at once", func(j *Journal) error { return j.Intend(huge) }, "over the limit"},
		{"done of no entry", func(j *Journal) error { return j.Done(9, nil) }, "no entry 9"},
		{"done of entry 0", func(j *Journal) error { return j.Done(0, nil) }, "no entry 0"},
		{"done twice", func(j *Journal) error { return j.Done(1, nil) }, "entry 1 is done already"},
		{"undone before undoing", func(j *Journal) error { return j.Undone(1) }, "before the rollback has begun"},
		{"clean after a change", func(j *Journal) error { return j.Close(Clean) }, "not clean: entry 1"},
		{"rolled back with a change left", func(j *Journal) error { return j.Close(RolledBack) }, "not rolled back: entry 1"},
		{"unknown outcome", func(j *Journal) error { return j.Close("fine") }, `unknown outcome "fine"`},
		{"committed after undoing", func(j *Journal) error { return errors.Join(j.Undoing(), j.Close(Committed)) }, "cannot be committed"},
		{"new change while undoing", func(j *Journal) error { return errors.Join(j.Undoing(), j.Intend(write("/y"))) }, "after the rollback has begun"},
		{"undone of a change that was withdrawn", func(j *Journal) error {
			return errors.Join(j.Intend(write("/y")), j.Withdraw(2, ""), j.Undoing(), j.Undone(2))
		}, "entry 2 is withdrawn already"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := newRun(t)
			j := create(t, dir)
			must(t, j.Intend(write("/a")), j.Done(1, nil))
			if err := tt.do(j); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one with %q", err, tt.want)
			}
			must(t, j.Undoing(), j.Undone(1), j.Close(RolledBack))
			reread(t, dir, j.State())
		})
	}
}

func TestOutcomesThatHold(t *testing.T) {
	tests := []struct {
		name string
		do   func(j *Journal) error
	}{
		{"nothing intended is clean", func(j *Journal) error { return j.Close(Clean) }},
		{"all withdrawn is clean", func(j *Journal) error {
			return errors.Join(j.Intend(write("/a")), j.Withdraw(1, "refused"), j.Undoing(), j.Close(Clean))
		}},
		{"what nothing can undo may stay", func(j *Journal) error {
			return errors.Join(j.Intend(run("x")), j.Done(1, nil), j.Undoing(), j.Close(RolledBack))
		}},
		{"no entries", func(j *Journal) error { return errors.Join(j.Intend(), j.Undone(), j.Close(Committed)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := newRun(t)
			j := create(t, dir)
			must(t, tt.do(j))
			reread(t, dir, j.State())
		})
	}
}
