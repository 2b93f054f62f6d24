#!/bin/sh
# Runs every fuzz target for FUZZTIME.
set -eu
cd "$(dirname "$0")/.."
GO=${GO:-go}

"$GO" list ./... | while read -r package; do
	dir=$("$GO" list -f '{{.Dir}}' "$package")
	grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go 2>/dev/null | sed 's/^func //' | while read -r target; do
		echo "== $package $target"
		"$GO" test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}"
	done
done
