#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs the host's commands in the virtual machine. The host sends them by the second serial port, each
# as a line "NUMBER COMMAND". A command's output goes to NUMBER.out in the shared folder; then the line
# "NUMBER STATUS" goes back by the port.
cd /run/share || exit 1
exec 3<>/dev/ttyS1
stty raw -echo <&3
echo "0 0" >&3
while read -r number command <&3; do
  status=0
  bash -c "$command" >"$number.out" 2>&1 </dev/null 3>&- || status=$?
  echo "$number $status" >&3
done
