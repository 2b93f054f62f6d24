#!/bin/sh
# The demo behind `make demo`: the bundled stack, deployed below .demo in this directory.
set -eu

cd "$(dirname "$0")/../.."
demo=${DEMO_DIR:-$PWD/.demo}
src=$demo/src
infrarun=${DEMO_INFRARUN:-$PWD/bin/infrarun}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

# commit puts the files of the stack into a repository of their own. Dates and names are fixed, so that
# the same files always make the same commit, and a second deployment finds nothing to do.
commit() {
	mkdir -p "$src"
	[ -d "$src/.git" ] || git -C "$src" init --quiet --initial-branch=main
	git -C testdata/infracore ls-files --cached --others --exclude-standard >"$demo/files"
	(cd testdata/infracore && tar cf - -T "$demo/files") | (cd "$src" && tar xf -)
	record "$1"
}

record() {
	git -C "$src" add --all
	git -C "$src" diff --cached --quiet 2>/dev/null && git -C "$src" rev-parse --quiet --verify HEAD >/dev/null && return
	GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z' \
		git -C "$src" -c user.name=demo -c user.email=demo@localhost -c commit.gpgsign=false commit --quiet -m "$1"
}

deploy() {
	"$infrarun" "$1" --env development --prefix "$demo/root" --repo "$src" --state-dir "$demo/state" --yes
}

case ${1:-} in
deploy)
	if [ ! -d "$demo/root" ]; then
		say 'The first deployment downloads the Go modules and npm packages of the bundled stack, some 60 MB,'
		echo 'through go and npm as they are set up here. Everything is put below .demo.'
	fi
	commit 'The bundled stack'
	deploy recipes/deploy.star
	say 'Next'
	echo "  see what a second deployment would change:  bin/infrarun recipes/deploy.star --env development --prefix .demo/root --repo .demo/src --state-dir .demo/state --dry-run"
	echo "  undo the deployment:                        bin/infrarun rollback --state-dir .demo/state"
	echo "  watch a broken version put itself back:     make demo-break"
	echo "  stop the services:                          make demo-stop"
	;;
break)
	[ -d "$demo/root/opt" ] || { echo 'deploy first: make demo' >&2; exit 1; }
	say 'Committing a console that exits at start, and deploying it.'
	printf 'package main\n\nimport "os"\n\nfunc init() { os.Exit(1) }\n' >"$src/cmd/console/broken.go"
	record 'Break the console'
	code=0
	deploy recipes/deploy.star || code=$?
	git -C "$src" reset --quiet --hard HEAD~1
	say "infrarun ended with exit code $code: failed, everything put back. The first version answers:"
	curl --silent --show-error --max-time 5 "http://localhost:${INFRARUN_HTTP_PORT:-8080}/api/v1/health" && echo
	;;
stop)
	for script in "$demo"/root/opt/infra-core/services/*.sh; do
		[ -x "$script" ] && "$script" stop
	done
	;;
*)
	echo "usage: $0 deploy|break|stop" >&2
	exit 2
	;;
esac
