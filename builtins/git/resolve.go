package git

import (
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type resolveArgs struct {
	repositoryArgs
	Ref string `arg:"ref" default:"HEAD" doc:"a branch, a tag, a commit or the beginning of its hash, a full reference such as refs/pull/12/head, or HEAD"`
	tokenArg
}

func resolveBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "git.resolve", Permission: readPermission, Returns: "struct(commit, short, ref, kind, subject)",
		Doc: "Finds the commit that a branch, tag or hash stands for now. HEAD is the default branch of a remote repository, " +
			"and what is checked out in one on this machine. The result's ref is the name without refs/heads/ or refs/tags/, " +
			"empty for a hash; kind is branch, tag or commit; subject is the first line of the commit's message.",
		Example: `commit = git.resolve(url, "main").commit`,
	}, func(c *runtime.Call, a resolveArgs) (starlark.Value, error) {
		o, err := newOpener(c, a.Token)
		if err != nil {
			return nil, err
		}
		var v starlark.Value
		err = o.use(a.URL, []string{a.Ref}, func(r *repo, at []resolved) error {
			found, err := r.commit(at[0].commit)
			if err != nil {
				return err
			}
			v = structOf(starlark.StringDict{
				"commit": starlark.String(found.hash.String()), "short": starlark.String(short(found.hash)),
				"ref": starlark.String(at[0].ref), "kind": starlark.String(at[0].kind), "subject": starlark.String(found.subject),
			})
			return nil
		})
		return v, err
	})
}
