#!/bin/sh
# Runs a Docker engine until its standard input ends, which it does when the test process has ended, however it did:
# `engine.sh DIR BRIDGE NET`. DIR is for all that it has, BRIDGE the name of its network device, NET the first two
# numbers of its addresses.
set -eu
dir=$1
bridge=$2
net=$3
ip link add "$bridge" type bridge
ip addr add "$net.0.1/24" dev "$bridge"
ip link set "$bridge" up

# It does not set up the packet filter of this machine, which other engines may use; ports are published by docker-proxy.
# But where another engine has the filter drop what is forwarded, its containers would not reach each other: one rule
# lets them, and goes with it.
filter() { iptables --wait "$1" FORWARD --source "$net.0.0/16" --destination "$net.0.0/16" --jump ACCEPT 2>/dev/null || true; }
filter --insert

# A file "again" has it start anew when it has ended.
exec 3<&0
cat <&3 >/dev/null &
tests=$!
(
	: >"$dir/again"
	while rm "$dir/again" 2>/dev/null; do
		dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" --host "unix://$dir/docker.sock" \
			--bridge "$bridge" --default-address-pool "base=$net.0.0/16,size=24" --iptables=false --ip-masq=false \
			--shutdown-timeout 2 >>"$dir/log" 2>&1 || true
	done
	kill "$tests" 2>/dev/null || true
) &
engines=$!
wait "$tests" || true
kill "$(cat "$dir/docker.pid" 2>/dev/null)" 2>/dev/null || true
wait "$engines" || true
filter --delete
ip link del "$bridge"
# A container in the network of the machine leaves a mount.
for namespace in "$dir"/exec/netns/*; do
	umount "$namespace" 2>/dev/null || true
done
rm -rf "$dir"
