#!/bin/sh
# gofmt, go vet and staticcheck over the whole tree, and shellcheck where it is installed.
set -eu
cd "$(dirname "$0")/.."
GO=${GO:-go}

unformatted=$(git ls-files --cached --others --exclude-standard '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	echo "not formatted by gofmt: $unformatted" >&2
	exit 1
fi
"$GO" vet ./... ./testdata/server ./testdata/enginetest ./testdata/composetest
(cd testdata/tools && "$GO" build -o ../../bin/staticcheck honnef.co/go/tools/cmd/staticcheck)
bin/staticcheck ./... ./testdata/server ./testdata/enginetest ./testdata/composetest
if command -v shellcheck >/dev/null; then
	# The start script of a process lacks its first lines, which its package adds and checks in its tests.
	git ls-files --cached --others --exclude-standard '*.sh' .ci/run | grep -v '^builtins/process/script.sh$' | xargs shellcheck
fi
