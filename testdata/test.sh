#!/bin/sh
# Everything that this machine can test: `make test`. As root on Debian it first installs what is missing;
# otherwise the tests that miss something are skipped, and listed at the end with the reason. With CI=true a
# skipped test is a failure.
set -eu
cd "$(dirname "$0")/.."
GO=${GO:-go}
export CI="${CI:-}"
cache=${INFRARUN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/infrarun-test}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

say() { printf '\n== %s\n' "$*"; }

# install brings Debian packages, for the commands that are missing.
install() {
	missing=
	for pair in "$@"; do
		command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "not installed, and this is not root on Debian:$missing"
		return 0
	fi
	echo "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	apt update
	# shellcheck disable=SC2086 # a list
	apt install -y --no-install-recommends $missing
}

# apt runs apt-get. It waits for another one that is at work, such as the daily one of the machine: of the lists of
# packages apt-get itself only says that somebody has them.
apt() {
	tries=0
	until LC_ALL=C apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >"$logs/apt" 2>&1; do
		if [ "$tries" -ge 300 ] || ! grep -q 'Could not get lock' "$logs/apt"; then
			cat "$logs/apt" >&2
			exit 1
		fi
		tries=$((tries + 1))
		sleep 1
	done
}

# recent_node makes sure of a Node.js that the front end builds with. Debian's may be older: then the
# package of the same name from the npm registry is put into the cache.
recent_node() {
	if node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null; then
		return 0
	fi
	command -v npm >/dev/null || return 0
	arch=$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
	[ -x "$cache/node/node_modules/node-linux-$arch/bin/node" ] || {
		echo "installing Node.js 22 into $cache"
		npm install --silent --no-audit --no-fund --prefix "$cache/node" "node-linux-$arch@22" npm@10 >"$logs/npm" 2>&1 ||
			{ cat "$logs/npm" >&2; exit 1; }
	}
	PATH="$cache/node/node_modules/node-linux-$arch/bin:$cache/node/node_modules/.bin:$PATH"
	export PATH
}

say 'what the tests need'
install gcc:gcc cc:libc6-dev npm:npm node:nodejs curl:curl shellcheck:shellcheck zstd:zstd \
	busybox:busybox ksh:ksh zsh:zsh fish:fish
recent_node
race=-race
if ! command -v gcc >/dev/null; then
	race=
	[ "$CI" != true ] || { echo 'there is no gcc for the race detector' >&2; exit 1; }
	echo 'skipped: the race detector, since there is no gcc'
fi

say 'gofmt, go vet, staticcheck, shellcheck'
GO="$GO" testdata/lint.sh

# go_tests runs the tests of a module and shows one line a package, and failures in full.
go_tests() {
	log=$1
	shift
	if "$GO" test -v "$@" >"$logs/$log" 2>&1; then
		grep -E '^(ok|\?)' "$logs/$log" | grep -v 'no test files' || true
	else
		grep -vE '^(=== |--- PASS|    --- PASS|        --- PASS|PASS$)' "$logs/$log"
		failed=1
	fi
}
failed=

say 'the reference stack'
(cd testdata/infracore && go_tests stack ./... && [ -z "$failed" ]) || failed=1

say 'units, families, command line, end to end'
# In continuous integration nothing is taken from Go's cache of results: they are those of another machine, or of this one
# as it was.
fresh=
[ "$CI" != true ] || fresh=-count=1
# What takes longest begins first, beside all the others.
# shellcheck disable=SC2086 # no flag if there is no race detector
go_tests units $race $fresh -tags failpoints -timeout 30m ./cmd/infrarun/e2e ./... ./testdata/server ./testdata/enginetest ./testdata/composetest

# reasons reads what go test -v prints, and lists the skipped tests below the reason of each. A test gives its reason
# when it is skipped, and go test says that it was in the end.
reasons() {
	awk '
		/^=== (RUN|NAME|CONT)/ { now = $3 }
		/^ +[^ ]+\.go:[0-9]+: / { said = $0; sub(/^ +[^ ]+: /, "", said); why[now] = said }
		/^ *--- SKIP: / { tests[why[$3]] = tests[why[$3]] " " $3 }
		END { for (reason in tests) print "  " reason ":\n   " tests[reason] }'
}

say 'result'
passed=$(cat "$logs"/stack "$logs"/units | grep -cE '^ *--- PASS' || true)
skipped=$(cat "$logs"/stack "$logs"/units | grep -cE '^ *--- SKIP' || true)
broken=$(cat "$logs"/stack "$logs"/units | grep -cE '^ *--- FAIL' || true)
if [ "$skipped" -gt 0 ]; then
	echo 'skipped, and why:'
	cat "$logs"/stack "$logs"/units | reasons
	[ "$CI" != true ] || failed=1
fi
echo "$passed passed, $broken failed, $skipped skipped"
[ -z "$failed" ]
