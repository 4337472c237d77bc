#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The virtual machine as a box that boots with systemd. The shared folder has the installed files (root/),
# their prefix (prefix), and units; it boots into box.target. The host's commands
# are one of its services.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/share /run/systemd/system
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=none share /run/share
cp -a /run/share/units/. /run/systemd/system
cp "$(dirname -- "$0")/commands.sh" /run/commands.sh
prefix=$(</run/share/prefix)
mount --bind "/run/share/root$prefix" "$prefix"
# Hides /tmp, which may contain the source tree, because nothing needs the source tree any more.
for folder in /tmp /var; do mount -t tmpfs -o mode=1777 tmpfs "$folder"; done
mkdir -p /var/tmp /var/lib
ln -s /run /var/run
exec /lib/systemd/systemd --unit=box.target --show-status=no
