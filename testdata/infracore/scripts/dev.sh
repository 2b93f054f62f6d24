#!/usr/bin/env bash
# Builds the five services and runs them until Ctrl-C, or until one of them ends.
# usage: scripts/dev.sh
set -euo pipefail

cd "$(dirname "$0")/.."
services=(console orch probe snap gate)
version=$(git describe --always --dirty 2>/dev/null || echo dev)
for s in "${services[@]}"; do
	CGO_ENABLED=0 go build -trimpath -ldflags "-X infracore/pkg/version.Version=$version" -o "bin/$s" "./cmd/$s"
done

pids=()
# Only what was started here is stopped, and the script ends when all have drained.
trap 'kill "${pids[@]}" 2>/dev/null || true; wait' EXIT
trap exit INT TERM
for s in "${services[@]}"; do
	"bin/$s" &
	pids+=($!)
done
wait -n
