#!/bin/sh
# Starts, stops and looks after one background process. It needs no infrarun.
#
#   start     start it in the background, unless it runs
#   stop      end it: SIGTERM, and SIGKILL for what is left after a while
#   restart   stop, then start
#   status    tell whether it runs; the exit status is 0 if it does, 3 if not
#   run       run it here, in the foreground, and start it again when it fails
#
# This file is made from a recipe and made anew from it: change the recipe, not the file.
#
# What stands in single quotes is meant as it stands there:
# shellcheck disable=SC1003,SC2016
set -u
umask 022

#@definition@

script=$dir/$name.sh
pid_file=$dir/$name.pid     # the supervisor, that is "run": its pid and when it started
state_file=$dir/$name.state # the command: what the supervisor knows of it
env_copy=$dir/$name.environment # what stood in the environment file when it was started
marker=$dir/$name

say() { printf '%s: %s\n' "$name" "$*"; }
die() { say "$*" >&2; exit 1; }
note() { printf '%s %s: %s\n' "$(date '+%Y-%m-%d %H:%M:%S%z')" "$name" "$*"; } # in the log
pause() { sleep 0.1 2>/dev/null || sleep 1; }

need() { # TOOL; prints where it is
	command -v "$1" || die "there is no command $1, which this script needs (package util-linux)"
}

# A pid alone does not name a process: when one ends another may get its number. So the moment at
# which it started, field 22 of its stat file, goes with it.
look_at() { # PID; sets started; fails if it is gone or only waits to be buried
	started=
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# Second is its name, in parentheses, which may hold anything. No field after it can be a pattern.
	# shellcheck disable=SC2086
	set -- ${stat##*") "}
	[ $# -ge 20 ] || return 1
	started=${20}
	[ "$1" != Z ] && [ "$1" != X ]
}

is_alive() { # PID STARTED
	[ -n "$1" ] && look_at "$1" && [ "$started" = "$2" ]
}

read_files() {
	supervisor='' supervisor_started='' pid='''' pid_started='' restarts=0 exit_code=''
	if [ -r "$pid_file" ]; then read -r supervisor supervisor_started <"$pid_file" || :; fi
	[ -r "$state_file" ] || return 0
	while read -r key value; do
		case $key in
		pid) pid=$value ;;
		started) pid_started=$value ;;
		restarts) restarts=$value ;;
		exit_code) exit_code=$value ;;
		esac
	done <"$state_file"
}

supervised() { is_alive "$supervisor" "$supervisor_started"; }
runs() { is_alive "$pid" "$pid_started"; }

signal_group() { # SIGNAL PID; fails if there is no such group
	kill -s "$1" -- "-$2" 2>/dev/null
}

# ---- what a person asks for

status() {
	read_files
	if runs; then
		say "runs as process $pid, started again $restarts times"
		supervised || say "nobody would start it again: its supervisor is gone"
		return 0
	fi
	if supervised && [ -z "$exit_code" ]; then
		say "is being started"
	elif supervised; then
		say "ended with exit status $exit_code and is about to be started again ($restarts times so far)"
	else
		say "does not run${exit_code:+, its last exit status is $exit_code}"
	fi
	return 3
}

start() {
	read_files
	if supervised; then say "runs already, as process $pid"; return; fi
	if runs; then die "runs without a supervisor, as process $pid: stop it first"; fi
	setsid=$(need setsid) || exit 1
	clean "$setsid" /bin/sh "$script" run </dev/null >>"$log" 2>&1 &
	launched=$!
	tries=0
	until [ "$supervisor" = "$launched" ] && [ -n "$pid" ]; do
		if ! look_at "$launched" || [ "$tries" -ge 100 ]; then die "did not start: see $log"; fi
		tries=$((tries + 1))
		pause
		read_files
	done
	status
}

stop() {
	read_files
	if supervised; then
		kill -s TERM "$supervisor" 2>/dev/null # which passes it on
	elif runs; then
		signal_group TERM "$pid" || kill -s TERM "$pid"
	else
		rm -f "$pid_file"
		say "does not run"
		return
	fi
	tries=0
	while supervised || runs; do
		if [ "$tries" -ge $((stop_timeout * 10)) ]; then
			say "did not end within $stop_timeout seconds and is ended by force"
			supervised && kill -s KILL "$supervisor"
			signal_group KILL "$pid"
			rm -f "$pid_file"
		fi
		tries=$((tries + 1))
		pause
	done
	say "stopped"
}

# ---- the supervisor

run() { # [EXECUTABLE DIRECTORY]: as it last ran, instead of what its paths now lead to and its files now say
	[ "${INFRARUN_PROCESS-}" = "$marker" ] || clean /bin/sh "$script" run "$@"
	override=${1-} directory=${2-$cwd}
	setsid=$(need setsid) || exit 1
	flock=$(need flock) || exit 1
	if [ -n "$user" ]; then setpriv=$(need setpriv) || exit 1; fi
	exec 9<"$script"
	# A ksh hands on only what is named again.
	"$flock" -n 9 9<&9 || die "runs already: another supervisor holds $script"
	read_files
	if runs; then die "runs without a supervisor, as process $pid: stop it first"; fi
	if [ $# -eq 0 ]; then take_env; fi
	stopping='' told='' child='' child_started='' group_of='' sleeper='' crashes='' delay=1
	restarts=0 exit_code='' executable='' real_directory=''
	put_state starting # before the pidfile, so that an old state is not taken for that of this supervisor
	look_at $$
	put "$pid_file" "$$ $started"
	trap 'stopping=yes; pass_on' TERM INT HUP
	supervise
	code=$?
	rm -f "$pid_file"
	exit "$code"
}

# The command is started again with what it was started with, whatever becomes of the file meanwhile.
take_env() {
	if [ -z "$env_file" ]; then
		rm -f "$env_copy"
	elif ! { (umask 077 && cat "$env_file" >"$env_copy.new") && mv -f "$env_copy.new" "$env_copy"; }; then
		rm -f "$env_copy.new"
		die "cannot copy $env_file to $env_copy"
	fi
}

put() { # FILE TEXT: whoever reads it finds the old text or the new one
	if ! { printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"; }; then note "cannot write $1"; fi
}

put_state() { # STATUS
	put "$state_file" "status $1
pid $child
started $child_started
restarts $restarts
exit_code $exit_code
executable $executable
directory $real_directory"
}

supervise() {
	while :; do
		launch
		await
		sweep
		group_of=
		if [ -n "$stopping" ] || [ "$exit_code" = 0 ]; then
			note "stopped, exit status $exit_code"
			put_state stopped
			return 0
		fi
		if ! crashed; then
			note "failed with exit status $exit_code, the fifth time within a minute: given up"
			put_state failed
			return 1
		fi
		note "failed with exit status $exit_code, is started again in $delay s"
		put_state waiting
		rest
		if [ -n "$stopping" ]; then put_state stopped; return 0; fi
		restarts=$((restarts + 1))
	done
}

launch() {
	began=$(date +%s)
	resolve
	with_command execute </dev/null &
	child=$! group_of=$!
	look_at "$child" || :
	child_started=$started
	put_state running
	[ -z "$stopping" ] || pass_on
}

resolve() { # what the paths lead to now, since links may be switched while it runs
	real_directory=$(cd "$directory" 2>/dev/null && pwd -P) || real_directory=$directory
	executable=${override:-$(with_command first)}
	executable=$(readlink -f "$executable" 2>/dev/null) || executable=
}

first() { printf '%s\n' "$1"; }

execute() { # COMMAND ARGUMENT…: becomes the command, in a session of its own
	exec 9<&-
	cd "$directory" || exit 126
	if [ -n "$override" ]; then
		shift
		set -- "$override" "$@"
	fi
	[ -z "$user" ] || set -- "$setpriv" "--reuid=$user" "--regid=$group" --init-groups -- "$@"
	set -- "$setsid" "$@"
	# From here on the command's variables may replace any of this script's but infrarun_….
	infrarun_env=$env_file infrarun_copy=$env_copy
	settings
	[ -z "$infrarun_env" ] || load_env "$infrarun_copy"
	exec "$@"
}

# load_env sets what an environment file says, without running it as a shell would: lines KEY=value, the
# value bare or in single quotes, with '\'' for a quote in it. Its own variables begin with infrarun_.
load_env() { # FILE
	infrarun_n=0
	[ -r "$1" ] || bad_env "it cannot be read"
	while IFS= read -r infrarun_line || [ -n "$infrarun_line" ]; do
		infrarun_n=$((infrarun_n + 1))
		case $infrarun_line in
		'' | '#'*) continue ;;
		*=*) ;;
		*) bad_env "line $infrarun_n is not KEY=value" ;;
		esac
		infrarun_key=${infrarun_line%%=*}
		infrarun_value=${infrarun_line#*=}
		case $infrarun_key in
		'' | [0123456789]* | *[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_]* | infrarun_* | INFRARUN_*)
			bad_env "line $infrarun_n has no name that can be set" ;;
		esac
		case $infrarun_value in
		"'"*"'") unquote || bad_env "the quotes of line $infrarun_n do not match" ;;
		*[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,=-]*)
			bad_env "the value of line $infrarun_n must be in single quotes" ;;
		esac
		export "$infrarun_key=$infrarun_value"
	done <"$1"
}

unquote() { # infrarun_value: takes off the quotes
	infrarun_rest=${infrarun_value#?}
	infrarun_rest=${infrarun_rest%?}
	infrarun_value=
	while :; do
		infrarun_part=${infrarun_rest%%"'\\''"*}
		case $infrarun_part in *"'"*) return 1 ;; esac
		infrarun_value=$infrarun_value$infrarun_part
		[ "$infrarun_part" != "$infrarun_rest" ] || return 0
		infrarun_value=$infrarun_value\'
		infrarun_rest=${infrarun_rest#*"'\\''"}
	done
}

bad_env() { # WHY; never shows a value
	printf '%s: %s\n' "$infrarun_env" "$1" >&2
	exit 78 # EX_CONFIG
}

await() { # the end of the command, whatever signals come; sets exit_code
	while :; do
		wait "$child"
		exit_code=$?
		# A signal to this shell ends the wait as well, but not the command.
		[ "$exit_code" -gt 128 ] || return 0
		look_at "$child" || :
		[ -n "$started" ] && [ "$started" = "$child_started" ] || return 0
	done
}

sweep() { # what the command left in its group must not hold the ports of the next one
	signal_group TERM "$child" || return 0
	tries=0
	while [ "$tries" -lt 50 ] && signal_group 0 "$child"; do
		tries=$((tries + 1))
		pause
	done
	signal_group KILL "$child"
	return 0
}

pass_on() { # SIGTERM to the command, once; it has a group only when it has a session
	if [ -n "$sleeper" ]; then kill -s TERM "$sleeper" 2>/dev/null; fi
	if [ -z "$group_of" ] || [ "$group_of" = "$told" ]; then return 0; fi
	told=$group_of
	until signal_group TERM "$group_of"; do
		look_at "$group_of" || return 0
		pause
	done
}

crashed() { # notes a crash; fails if it is the fifth within a minute
	now=$(date +%s)
	[ $((now - began)) -lt 60 ] || delay=1
	# shellcheck disable=SC2086 # a list of numbers
	set -- $crashes "$now"
	[ $# -le 5 ] || shift
	crashes=$*
	[ $# -lt 5 ] || [ $((now - $1)) -ge 60 ]
}

rest() { # before it is started again: 1 s, 2 s, 4 s …
	[ -z "$stopping" ] || return 0
	sleep "$delay" 9<&- &
	sleeper=$!
	wait "$sleeper"
	sleeper=
	delay=$((delay * 2))
	[ "$delay" -le 60 ] || delay=60
}

case ${1-} in
start | stop | status) "$1" ;;
restart) stop && start ;;
run) shift && run "$@" ;;
*) say "usage: $0 start|stop|restart|status|run" >&2 && exit 2 ;;
esac
