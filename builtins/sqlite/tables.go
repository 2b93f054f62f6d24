package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type tablesArgs struct {
	Path    string          `arg:"path" doc:"the database; a relative path is relative to the directory infrarun was started in"`
	Timeout runtime.Seconds `arg:"timeout" default:"30s" doc:"how long to wait for those who keep the database locked, in seconds"`
}

func tablesBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "sqlite.tables", Returns: "dict of string to int: how many rows each table has, in the order of their names",
		Permission: "fs.read on path",
		Doc: "Counts the rows of the tables of a SQLite database, all at the same moment. Left out are SQLite's own tables, " +
			"views, and virtual tables with what they keep their contents in. The database may be in use; nothing is made or " +
			"changed beside it, so a preview counts too. A database that does not exist, that stays locked or " +
			"in which damage is met is an error; whether it is whole tells sqlite.check.",
		Example: "before = sqlite.tables(\"/var/lib/app/app.db\")\nif before.get(\"users\", 0) == 0:\n    fail(\"there are no users in the database\")",
	}, func(c *runtime.Call, a tablesArgs) (starlark.Value, error) {
		src, err := readable(c, a.Path)
		if err != nil {
			return nil, err
		}
		tables, err := newAccess(c.Reader(), a.Timeout).tables(c.Context(), src)
		if err != nil {
			return nil, err
		}
		dict := starlark.NewDict(len(tables))
		for _, t := range tables {
			if err := dict.SetKey(starlark.String(t.name), starlark.MakeInt64(t.rows)); err != nil {
				return nil, err
			}
		}
		return dict, nil
	})
}

// table is a table and how many rows it has.
type table struct {
	name string
	rows int64
}

// tables counts the rows of all tables.
func (a access) tables(ctx context.Context, src source) ([]table, error) {
	if err := src.info.Known(); err != nil {
		return nil, err
	}
	var tables []table
	err := a.open(ctx, src, func(conn *sql.Conn) (err error) {
		tables, err = countTables(ctx, conn)
		return err
	})
	if isDamage(err) && !errors.Is(err, errNoDatabase) {
		return nil, fmt.Errorf("the database is damaged, see sqlite.check; put a backup in its place with sqlite.restore: %w", err)
	}
	return tables, err
}

// countTables counts in one transaction, so that what others write meanwhile is not seen.
func countTables(ctx context.Context, conn *sql.Conn) (tables []table, err error) {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // there is nothing to be lost
	names, err := tableNames(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		t := table{name: name}
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM main."+quoteName(name)).Scan(&t.rows); err != nil {
			return nil, fmt.Errorf("count the rows of table %s: %w", name, err)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// tableNames lists the tables that hold what was put into them: of the other kinds some need code that only the program has
// which made them.
func tableNames(ctx context.Context, tx *sql.Tx) (names []string, err error) {
	const query = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, rows.Err()
}

// quoteName quotes a name for SQL.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
