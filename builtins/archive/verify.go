package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// maxProblems is how many problems are told. One is enough to act on.
const maxProblems = 20

func verifyBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "archive.verify", Permission: "fs.read on path, and on the file of sums beside it",
		Returns: "list of string: what is wrong, at most 20 things; empty if the archive is whole",
		Doc: "Lists what is wrong with an archive. It is read to its end, every file in it compared with the sum that was taken " +
			"when it was packed, and the archive itself with the sum in the file beside it, if that is there. An archive " +
			"that does not exist or cannot be read is an error.",
		Example: "problems = archive.verify(backup + \"/app.tar.zst\")\nif problems:\n    fail(\"the backup is damaged: \" + problems[0])",
	}, func(c *runtime.Call, a pathArgs) (starlark.Value, error) {
		problems, err := verify(c, a.Path)
		if err != nil {
			return nil, err
		}
		list := starlark.NewList(nil)
		for _, p := range problems[:min(len(problems), maxProblems)] {
			if err := list.Append(starlark.String(p)); err != nil {
				return nil, err
			}
		}
		return list, nil
	})
}

func verify(c *runtime.Call, path string) ([]string, error) {
	found, err := scanAt(c, path, func(entry, io.Reader) error { return nil })
	problems := found.wrong
	var damage *badArchive
	if errors.As(err, &damage) {
		problems = append(problems, damage.text)
	} else if err != nil {
		return nil, err
	}
	path = filesys.Abs(c.BaseDir(), path)
	view := filesys.Read(c.Reader())
	if err := c.Need(view.Needs(readKind, besideOf(path))...); err != nil {
		return nil, err
	}
	beside, err := compareBeside(c.Context(), view, path)
	if beside != "" {
		problems = append(problems, beside)
	}
	return problems, err
}

// compareBeside compares an archive with its sum in the file beside it. It returns the problem, "" for none.
func compareBeside(ctx context.Context, v *filesys.View, path string) (string, error) {
	text, err := v.ReadFile(besideOf(path), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	sums, err := parseSums(text)
	if err != nil || len(sums) == 0 {
		return fmt.Sprintf("%s is no list of sums", besideOf(path)), nil
	}
	f, err := v.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, &faulty{ctx: ctx, r: f}); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if hex.EncodeToString(digest.Sum(nil)) != sums[0].hex {
		return fmt.Sprintf("%s has another content than %s says", filepath.Base(path), filepath.Base(besideOf(path))), nil
	}
	return "", nil
}
