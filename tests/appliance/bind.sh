#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Binds PCI devices to a driver, and unbinds them from their present one: bind.sh DRIVER ADDRESS...
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
