#!/bin/sh
# Runs two Docker engines until its standard input ends, each in a network namespace of its own, as two machines with one
# network between them: `swarm.sh DIR NAME NET`. DIR is for all that they have, NAME begins the names of namespaces and
# devices, NET are the first three numbers of the network: this machine is NET.1, the engines are NET.11 and NET.12.
set -eu
dir=$1
name=$2
net=$3

# The network is a namespace with a bridge: there no packet filter of this machine stands between them.
ip netns add "${name}lan"
ip -n "${name}lan" link add bridge0 type bridge
ip -n "${name}lan" link set bridge0 up
ip link add "${name}" type veth peer name port0 netns "${name}lan"
ip addr add "$net.1/24" dev "${name}"
ip link set "${name}" up
ip -n "${name}lan" link set dev port0 master bridge0 up
for i in 1 2; do
	ip netns add "$name$i"
	ip -n "$name$i" link add eth0 type veth peer name "port$i" netns "${name}lan"
	ip -n "${name}lan" link set dev "port$i" master bridge0 up
	ip -n "$name$i" addr add "$net.1$i/24" dev eth0
	ip -n "$name$i" link set eth0 up
	ip -n "$name$i" link set lo up
done

exec 3<&0
cat <&3 >/dev/null &
tests=$!
engines=
# A file "again" has an engine start anew when it has ended, as soon as there is no file "down": see engine.sh.
run() {
	: >"$dir/$1/again"
	while rm "$dir/$1/again" 2>/dev/null; do
		while [ -e "$dir/$1/down" ] && kill -0 "$tests" 2>/dev/null; do
			sleep 0.05
		done
		kill -0 "$tests" 2>/dev/null || break
		# Not ip netns exec: that hides the control groups.
		# shellcheck disable=SC2016 # the inner shell expands it
		nsenter --net="/run/netns/$name$1" unshare --uts sh -c 'hostname "$1"; shift; exec "$@"' sh "engine$1" \
			dockerd --data-root "$dir/$1/data" --exec-root "$dir/$1/exec" --pidfile "$dir/$1/docker.pid" \
			--host "unix://$dir/$1/docker.sock" --insecure-registry "$net.0/24" --shutdown-timeout 2 >>"$dir/$1/log" 2>&1 || true
	done
	kill "$tests" 2>/dev/null || true
}
for i in 1 2; do
	mkdir "$dir/$i"
	run "$i" &
	engines="$engines $!"
done
wait "$tests" || true
# One may just be starting, and not have said who it is.
ended=" "
for engine in $engines; do
	while kill -0 "$engine" 2>/dev/null; do
		for i in 1 2; do
			pid=$(cat "$dir/$i/docker.pid" 2>/dev/null || true)
			case $ended in
			*" $pid "*) ;;
			*) if kill "$pid" 2>/dev/null; then ended="$ended$pid "; fi ;;
			esac
		done
		sleep 0.05
	done
	wait "$engine" || true
done
for i in 1 2; do
	ip netns del "$name$i"
	# An engine that is killed leaves mounts.
	for mounted in "$dir/$i"/exec/netns/* "$dir/$i/data"; do
		umount "$mounted" 2>/dev/null || true
	done
done
ip netns del "${name}lan"
# What watches over a container outlives an engine that ends while it starts one.
for process in /proc/[0-9]*; do
	case $(tr '\0' ' ' 2>/dev/null <"$process/cmdline" || true) in
	*containerd-shim*"-address $dir/"*) kill -9 "${process#/proc/}" 2>/dev/null || true ;;
	esac
done
rm -rf "$dir"
