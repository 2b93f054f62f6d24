#!/bin/sh
# Runs a Docker engine until its standard input ends, which it does when the test process has ended, however it did:
# `engine.sh DIR NUMBER`. DIR is for all that it has, NUMBER below 100 is where it begins to look for a network that
# nobody has: engines of other test processes run at the same time.
set -eu
dir=$1
number=$2
tries=0
while :; do
	bridge=irtest$number
	net=10.$((100 + number))
	if ! ip -oneline -4 addr show | grep -q "inet $net\\."; then
		ip link add "$bridge" type bridge 2>>"$dir/log" && break
	fi
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || exit 1
	number=$(((number + 1) % 100))
done
ip addr add "$net.0.1/24" dev "$bridge"
ip link set "$bridge" up

# It does not set up the packet filter of this machine, which other engines may use; ports are published by docker-proxy.
# But where another engine has the filter drop what is forwarded, its containers would not reach each other: one rule
# lets them, and goes with it.
filter() { iptables --wait "$1" FORWARD --source "$net.0.0/16" --destination "$net.0.0/16" --jump ACCEPT 2>/dev/null || true; }
filter --insert

# A file "again" has it start anew when it has ended, as soon as there is no file "down".
exec 3<&0
cat <&3 >/dev/null &
tests=$!
(
	: >"$dir/again"
	while rm "$dir/again" 2>/dev/null; do
		while [ -e "$dir/down" ] && kill -0 "$tests" 2>/dev/null; do
			sleep 0.05
		done
		kill -0 "$tests" 2>/dev/null || break
		dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/docker.pid" --host "unix://$dir/docker.sock" \
			--bridge "$bridge" --default-address-pool "base=$net.0.0/16,size=24" --iptables=false --ip-masq=false \
			--shutdown-timeout 2 >>"$dir/log" 2>&1 || true
		# A build that it was at work on leaves a mount, with which its container could not be removed.
		umount "$dir"/data/overlay2/*/merged 2>/dev/null || true
	done
	kill "$tests" 2>/dev/null || true
) &
engines=$!
wait "$tests" || true
# It may just be starting, and not have said who it is.
ended=
while kill -0 "$engines" 2>/dev/null; do
	pid=$(cat "$dir/docker.pid" 2>/dev/null || true)
	if [ -n "$pid" ] && [ "$pid" != "$ended" ] && kill "$pid" 2>/dev/null; then
		ended=$pid
	fi
	sleep 0.05
done
wait "$engines" || true
filter --delete
# Its own, and those of networks in it that tests have left which were killed.
for left in $(ip -oneline -4 addr show | awk -v net="$net." 'index($4, net) == 1 { print $2 }'); do
	ip link del "$left" || true
done
# A container in the network of the machine leaves a mount, and so does an engine that ends while it starts.
for mount in "$dir"/exec/netns/* "$dir/data"; do
	umount "$mount" 2>/dev/null || true
done
# What watches over a container outlives an engine that ends while it starts one.
for process in /proc/[0-9]*; do
	case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline" || true) in
	*containerd-shim*"-address $dir/"*) kill -9 "${process#/proc/}" 2>/dev/null || true ;;
	esac
done
rm -rf "$dir"
