#!/bin/sh
# Runs a Docker engine until nobody holds the lock on DIR/users.lock any more: `engine.sh RUN DIR NETWORK`. RUN is for
# its sockets, DIR for its data, NETWORK is what its users have made in it.
set -eu
run=$1
dir=$2
network=$3
mkdir -p "$run"

# Its own network is made later: another engine on this machine may have the default bridge.
dockerd --data-root "$dir/data" --exec-root "$run/exec" --pidfile "$run/docker.pid" --host "unix://$run/docker.sock" \
	--bridge none &
engine=$!

# Nobody has to say that he is done, since his lock ends with his process. Who comes while the engine stops waits for
# this one.
exec 9>"$dir/users.lock"
while kill -0 "$engine" 2>/dev/null; do
	if flock --exclusive --timeout 1 9; then
		# Tests that were killed have left their servers, and an engine that ends with a network that is in use leaves
		# its bridge and its rules of the packet filter on this machine.
		docker --host "unix://$run/docker.sock" ps --all --quiet |
			xargs --no-run-if-empty docker --host "unix://$run/docker.sock" rm --force --volumes || true
		docker --host "unix://$run/docker.sock" network rm "$network" || true
		kill "$engine"
		break
	fi
done
wait "$engine"
rm -rf "$run"
