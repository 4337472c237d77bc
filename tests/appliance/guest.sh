#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Prepares the virtual machine for the commands that the host sends (commands.sh).
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
export LIBXDP_SKIP_DISPATCHER=1
# Not over /tmp, where the source tree may be.
mount -t tmpfs tmpfs /run
export TMPDIR=/run/tmp
mkdir -p /run/lock /run/hugepages /run/share "$TMPDIR"
mount -t hugetlbfs -o pagesize=2M hugetlbfs /run/hugepages
mount -t bpf bpf /sys/fs/bpf
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=none share /run/share
sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link set lo up
exec bash "$(dirname -- "$0")/commands.sh"
