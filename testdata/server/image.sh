#!/bin/sh
# Makes the tree of a Debian server below ROOT: `image.sh ROOT MIRROR FILES PACKAGES`. FILES is a tree of settings that
# is put over it, where the server does not have such a file.
set -eu
root=$1
mirror=$2
files=$3
packages=$4

debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror"
rm -f "$root/etc/apt/sources.list"
(cd "$files" && find . -type f) | while read -r file; do
	[ -e "$root/$file" ] || install -D -m 0644 "$files/$file" "$root/$file"
done
chroot "$root" update-ca-certificates

# What these do in the background would be taken for what a test does.
for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all systemd-tmpfiles-clean; do
	ln -sf /dev/null "$root/etc/systemd/system/$timer.timer"
done

# Each server gets a machine id of its own.
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb \
	"$root"/var/log/bootstrap.log
