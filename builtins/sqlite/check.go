package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type checkArgs struct {
	Path    string          `arg:"path" doc:"the database; a relative path is relative to the directory infrarun was started in"`
	Quick   bool            `arg:"quick" default:"false" doc:"leave out whether the indexes agree with the tables, which is most of the work"`
	Timeout runtime.Seconds `arg:"timeout" default:"30s" doc:"how long to wait for those who keep the database locked, in seconds"`
}

func checkBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "sqlite.check", Returns: "list of string: what is wrong, at most 20 things; empty if the database is whole",
		Permission: "fs.read on path",
		Doc: "Lists what is wrong with a SQLite database, by SQLite's own integrity check. The database may be in use; nothing " +
			"is made or changed beside it, so the check is made in a preview too. A file that is no database is a problem, " +
			"too. One that does not exist, cannot be read or stays locked is an error.",
		Example: "problems = sqlite.check(\"/var/lib/app/app.db\")\nif problems:\n    fail(\"the database is damaged: \" + problems[0])",
	}, func(c *runtime.Call, a checkArgs) (starlark.Value, error) {
		src, err := readable(c, a.Path)
		if err != nil {
			return nil, err
		}
		problems, err := newAccess(c.Reader(), a.Timeout).check(c.Context(), src, a.Quick)
		if err != nil {
			return nil, err
		}
		list := starlark.NewList(nil)
		for _, p := range problems {
			if err := list.Append(starlark.String(p)); err != nil {
				return nil, err
			}
		}
		return list, nil
	})
}

// maxProblems is how many problems are told. One is enough to act on.
const maxProblems = "20"

// check returns what is wrong with a database.
func (a access) check(ctx context.Context, src source, quick bool) ([]string, error) {
	if err := src.info.Known(); err != nil {
		return nil, err
	}
	pragma := "integrity_check"
	if quick {
		pragma = "quick_check"
	}
	var problems []string
	err := a.open(ctx, src, func(conn *sql.Conn) (err error) {
		problems, err = integrity(ctx, conn, pragma)
		return err
	})
	if isDamage(err) {
		return []string{err.Error()}, nil
	}
	return problems, err
}

// integrity makes one of SQLite's checks. That the database cannot be read at all because of what is in it is a problem
// as well, not an error.
func integrity(ctx context.Context, conn *sql.Conn, pragma string) ([]string, error) {
	problems, err := pragmaLines(ctx, conn, "PRAGMA "+pragma+"("+maxProblems+")")
	if isDamage(err) {
		return append(problems, err.Error()), nil
	}
	return problems, err
}

// pragmaLines returns what a check says, a line for each problem.
func pragmaLines(ctx context.Context, conn *sql.Conn, query string) (problems []string, err error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return problems, err
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "ok" && line != "*** in database main ***" {
				problems = append(problems, line)
			}
		}
	}
	return problems, rows.Err()
}
