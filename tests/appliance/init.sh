#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: BSD-3-Clause
# The first program of the virtual machine, run by busybox from the initramfs. Loads the kernel modules
# that the tests need, mounts the host's root read-only, and runs guest.sh there.
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /modules/order); do
  /bin/busybox insmod "/modules/$module.ko" || echo "init: $module did not load"
done
# The host does not change what is read here while the machine runs, so the guest may keep it.
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,ro,cache=loose root /root
for folder in proc sys dev; do /bin/busybox mount --move "/$folder" "/root/$folder"; done
guest=$(/bin/busybox sed -n 's/.*twinpath\.guest=\([^ ]*\).*/\1/p' /root/proc/cmdline)
exec /bin/busybox switch_root /root /bin/bash "$guest"
