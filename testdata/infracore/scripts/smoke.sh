#!/usr/bin/env bash
# Asks every service for its health through the gate, and for the front end. Exits 1 when one does not answer.
# usage: scripts/smoke.sh [GATE]      GATE: address of the gate, http://127.0.0.1:8080 if none is given
set -euo pipefail

gate=${1:-http://127.0.0.1:8080}
failed=0
for path in /gate/health /api/v1/health /orchestrator/health /probe/health /snap/health /; do
	# -k: the gate's certificate may be self-signed.
	if body=$(curl -fsSk --max-time 5 "$gate$path"); then
		[[ $path == / ]] && body="the front end, ${#body} bytes"
		printf 'ok    %-22s %s\n' "$path" "$body"
	else
		printf 'FAIL  %s\n' "$path"
		failed=1
	fi
done
exit "$failed"
