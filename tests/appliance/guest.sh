#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What runs in the virtual machine: one command after another, as the host sends them by the second
# serial port, one a line: "NUMBER COMMAND". Its output goes to the shared folder, as NUMBER.out, and
# "NUMBER STATUS" back by the port when it is there.
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
cd /run/share || exit 1
exec 3<>/dev/ttyS1
stty raw -echo <&3
echo "0 0" >&3
while read -r number command <&3; do
  status=0
  bash -c "$command" >"$number.out" 2>&1 </dev/null 3>&- || status=$?
  echo "$number $status" >&3
done
