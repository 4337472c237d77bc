# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
#
# PCI devices and their drivers. Sourced by tools/host.

driver_of() { # ADDRESS: prints nothing if the device has no driver
  local link
  link=$(readlink "$PCI/devices/$1/driver") || return 0
  basename -- "$link"
}

# bind ADDRESS DRIVER: binds a device to a driver; "-" unbinds it. Source:
# Documentation/ABI/testing/sysfs-bus-pci.
bind() {
  local address=$1 driver=$2
  [[ $driver != - ]] || driver=''
  echo "$driver" >"$PCI/devices/$address/driver_override"
  if [[ -n $(driver_of "$address") ]]; then echo "$address" >"$PCI/devices/$address/driver/unbind"; fi
  if [[ -n $driver ]]; then echo "$address" >"$PCI/drivers_probe"; fi
}

# overridden ADDRESS: prints the driver that driverctl binds by an override; - if there is none.
overridden() {
  "$DRIVERCTL" list-overrides | awk -v address="$1" '
    $1 == address { driver = $2 } END { print driver == "" ? "-" : driver }'
}

interfaces_of() { # ADDRESS
  local folder
  for folder in "$PCI/devices/$1"/net/* "$PCI/devices/$1"/virtio*/net/*; do
    if [[ -e $folder ]]; then basename -- "$folder"; fi
  done
}

up_pci() { # ADDRESS
  local address=$1 before
  before=$(driver_of "$address")
  case $before in vfio-pci | mlx4_core | mlx5_core | mana) return 0 ;; esac
  if [[ ! -d $PCI/drivers/vfio-pci ]]; then
    recorded module vfio-pci || record module vfio-pci
    modprobe vfio-pci || die "modprobe vfio-pci failed. Is the IOMMU on? See twinpath doctor"
  fi
  if [[ -n $DRIVERCTL ]]; then
    recorded driverctl "$address" || record driverctl "$address" "$(overridden "$address")"
    "$DRIVERCTL" set-override "$address" vfio-pci
  else
    recorded bind "$address" || record bind "$address" "$before"
    bind "$address" vfio-pci
  fi
  say "$address: ${before:-no driver} -> vfio-pci"
}

# undo_driverctl ADDRESS BEFORE: does nothing if `up` was killed before it ran driverctl.
undo_driverctl() {
  if [[ $(overridden "$1") == "$2" ]]; then return 0; fi
  if [[ $2 == - ]]; then "$DRIVERCTL" unset-override "$1"; else "$DRIVERCTL" set-override "$1" "$2"; fi
}

undo_bind() { # ADDRESS BEFORE
  if [[ -e $PCI/devices/$1 ]]; then
    bind "$1" "$2"
    echo >"$PCI/devices/$1/driver_override" # the kernel chooses the driver at the next probe
  fi
}

# undo_module MODULE: keeps the module if a device is bound to it, even if no program has it open.
undo_module() {
  local device
  for device in "$PCI/drivers/$1"/????:*; do
    if [[ -e $device ]]; then return 0; fi
  done
  modprobe -r "$1" 2>/dev/null || true
}
