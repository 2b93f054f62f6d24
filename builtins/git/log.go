package git

import (
	"errors"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type logArgs struct {
	repositoryArgs
	Old   string `arg:"old" doc:"the commit to start after; \"\": from the first one"`
	New   string `arg:"new" doc:"the commit to end with"`
	Limit int    `arg:"limit" default:"50" doc:"how many commits are returned at most"`
	tokenArg
}

func logBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "git.log", Permission: readPermission, Returns: "list of struct(commit, short, author, date, subject)",
		Doc: "Lists the commits that new has and old has not, newest first, as `git log old..new` does. Old need not be older: " +
			"after a step back the list is empty. The date is when the change was made, as 2026-11-22T21:47:00+01:00.",
		Example: `for c in git.log(url, running, commit):` + "\n" + `    log.info(c.short + " " + c.subject)`,
	}, func(c *runtime.Call, a logArgs) (starlark.Value, error) {
		if a.Limit < 1 {
			return nil, errors.New("limit must be at least 1")
		}
		o, err := newOpener(c, a.Token)
		if err != nil {
			return nil, err
		}
		var list []starlark.Value
		err = o.use(a.URL, between(a.Old, a.New), func(r *repo, at []resolved) error {
			old, new := ends(at)
			commits, err := r.between(c.Context(), old, new, a.Limit)
			if err != nil {
				return err
			}
			list = make([]starlark.Value, len(commits))
			for i, found := range commits {
				list[i] = structOf(starlark.StringDict{
					"commit": starlark.String(found.hash.String()), "short": starlark.String(short(found.hash)),
					"author": starlark.String(found.author), "date": starlark.String(found.authored.Format(time.RFC3339)),
					"subject": starlark.String(found.subject),
				})
			}
			return nil
		})
		return starlark.NewList(list), err
	})
}

// between returns the names that stand for a range of commits; old may be empty.
func between(old, new string) []string {
	if old == "" {
		return []string{new}
	}
	return []string{new, old}
}

// ends is the inverse of between, once the names are resolved. Without an old one its hash is zero.
func ends(at []resolved) (old, new hash) {
	if len(at) > 1 {
		old = at[1].commit
	}
	return old, at[0].commit
}
