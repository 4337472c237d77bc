#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs in the virtual machine: one command after another, as the host sends them by the second serial
# port, one a line: "NUMBER COMMAND". Its output goes to the shared folder, as NUMBER.out, and
# "NUMBER STATUS" back by the port when it is there.
cd /run/share || exit 1
exec 3<>/dev/ttyS1
stty raw -echo <&3
echo "0 0" >&3
while read -r number command <&3; do
  status=0
  bash -c "$command" >"$number.out" 2>&1 </dev/null 3>&- || status=$?
  echo "$number $status" >&3
done
