#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Unbinds PCI devices from their drivers, and binds them to DRIVER: bind.sh DRIVER ADDRESS...
set -euo pipefail
driver=$1
shift
for address in "$@"; do
  device=/sys/bus/pci/devices/$address
  echo "$driver" >"$device/driver_override"
  [[ ! -e $device/driver ]] || echo "$address" >"$device/driver/unbind"
  echo "$address" >/sys/bus/pci/drivers_probe
  [[ $(basename "$(readlink "$device/driver")") == "$driver" ]]
done
