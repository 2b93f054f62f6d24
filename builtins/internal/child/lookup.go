package child

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Lookup returns the file that a command stands for: a name is looked for in infrarun's own PATH,
// whatever PATH the command itself is given; a path is relative to dir, the command's working directory.
// The error is a [NotFoundError], or says why what is there cannot be executed.
func Lookup(command, dir string) (string, error) {
	var failure error
	for _, candidate := range Candidates(command, dir) {
		file, err := executable(candidate)
		if err == nil {
			return file, nil
		}
		if failure == nil || errors.As(failure, new(*NotFoundError)) {
			failure = err // what is there and cannot be executed tells more than what is not
		}
	}
	if !strings.Contains(command, "/") && (failure == nil || errors.As(failure, new(*NotFoundError))) {
		return "", &NotFoundError{Command: command, Path: os.Getenv("PATH")}
	}
	return "", failure
}

// Candidates lists the files that a command may stand for, the first that can be executed being the one.
// Directories of PATH that are not absolute do not count: what runs must not depend on where infrarun was
// started.
func Candidates(command, dir string) []string {
	if strings.Contains(command, "/") {
		return []string{Absolute(command, dir)}
	}
	var files []string
	for _, d := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(d) {
			files = append(files, filepath.Join(d, command))
		}
	}
	return files
}

// Absolute returns a command that is a path as one from the root; a name stays as it is.
func Absolute(command, dir string) string {
	if !strings.Contains(command, "/") {
		return command
	}
	if !filepath.IsAbs(command) {
		command = filepath.Join(dir, command)
	}
	return filepath.Clean(command)
}

// executable returns the file if it can be executed by anybody.
func executable(file string) (string, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir):
		return "", &NotFoundError{File: file}
	case err != nil:
		return "", err
	case info.IsDir():
		return "", &NotExecutableError{file, "it is a directory"}
	case info.Mode()&0o111 == 0:
		return "", &NotExecutableError{file, "its mode " + modeText(info) + " lets nobody execute it; fs.chmod(path, \"0755\") would"}
	}
	return file, nil
}

// pathNames lists the commands of a PATH, to suggest one.
func pathNames(path string) []string {
	var names []string
	for _, d := range filepath.SplitList(path) {
		entries, err := os.ReadDir(d)
		if err != nil {
			continue
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
	}
	return names
}
