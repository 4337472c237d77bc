#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/host prepares a machine for a profile, and undoes exactly that: once or twice, after an
# `up` that was killed, on real interfaces, and on fake PCI devices.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

HOST=$(realpath -- "$LIB/../../tools/host")
export TWINPATH_HOST_STATE=/run/work/state/host
PAGES=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
echo 7 >pages
echo 7 >free
mount --bind pages $PAGES # other tests use the machine's own
mount --bind free ${PAGES%nr_hugepages}free_hugepages
export TWINPATH_HOST_TWINPATH=$TWINPATH
ip link add lan0 type veth peer name far0
ip link add wan0 type veth peer name far1
ip link set wan0 up

# machine: all of it must be as before.
machine() {
  local interface
  cat $PAGES
  for interface in lan0 wan0; do
    head "/sys/class/net/$interface/"{napi_defer_hard_irqs,gro_flush_timeout,flags}
  done
  ls /run/work/state 2>/dev/null || true
}
before=$(machine)

host() {
  local status=0
  "$HOST" "$@" >out.txt 2>err.txt || status=$?
  ((status == ${expected:-0})) || fail "host $*: exit status $status: $(cat out.txt err.txt)"
}
as_before() { [[ $(machine) == "$before" ]] || fail "$1: not as before: $(diff <(echo "$before") <(machine))"; }
is() { [[ $(cat "$1") == "$2" ]] || fail "$1 is '$(cat "$1")', not '$2'"; }

cat >wire.json <<'JSON'
{"version": 1, "ports": [{"name": "lan", "device": "lan0"}, {"name": "wan", "device": "wan0"},
                         {"name": "none", "device": "net_null0"}]}
JSON

host down # nothing yet
as_before 'down without up'
host up wire.json --hugepages 20
is $PAGES 20
is /sys/class/net/lan0/napi_defer_hard_irqs 2
is /sys/class/net/wan0/gro_flush_timeout 200000
ip -o link show lan0 | grep -q '[<,]UP' || fail 'lan0 is not up'
cp state/host once
host up wire.json --hugepages 20
cmp once state/host || fail 'up twice is not as once'
host status
cmp once out.txt || fail 'status does not show the state'
echo 25 >$PAGES # somebody else took five more
host down
is $PAGES 12
echo 7 >$PAGES
as_before 'up, up, down'
host down
as_before 'down again'

# Killed at each of its steps: by a `sync`, which runs after a step is recorded and before it is done, and
# by an `ip`, which is a step.
mkdir shim
for tool in sync ip; do
  for ((step = 1; step <= 8; step++)); do
    cat >"shim/$tool" <<SHIM
#!/bin/bash
echo >>/run/work/steps
if ((\$(wc -l </run/work/steps) == $step)); then kill -KILL \$PPID; exit; fi
exec $(type -P "$tool") "\$@"
SHIM
    chmod +x "shim/$tool"
    : >steps
    PATH=$PWD/shim:$PATH "$HOST" up wire.json --hugepages 20 >out.txt 2>&1 || true
    host down
    as_before "killed at $tool $step"
  done
  rm "shim/$tool"
done
host up wire.json --hugepages 20
printf 'file /sys/class' >>state/host # written down in part
host down
as_before 'a line cut short'

# A boot undoes everything silently. `up` then does it again, and more if the profile needs more.
host up wire.json --hugepages 20
sed -i '1s/.*/boot another - ./' state/host
echo 7 >$PAGES
host up wire.json --hugepages 20
is $PAGES 20
host up wire.json --hugepages 30
is $PAGES 30
host down
is $PAGES 7
host up wire.json --hugepages 20
sed -i '1s/.*/boot another - ./' state/host
echo 9 >$PAGES
host down
is $PAGES 9
grep -q 'nothing to undo' out.txt || fail "undone of another boot: $(cat out.txt)"
echo 7 >$PAGES
for interface in lan0 wan0; do
  echo 0 | tee /sys/class/net/$interface/{napi_defer_hard_irqs,gro_flush_timeout} >/dev/null
done
ip link set lan0 down
as_before 'another boot'

# Each step is undone only once, even if nobody reads the output.
for ear in full closed; do
  host up wire.json --hugepages 20
  if [[ $ear == full ]]; then "$HOST" down >/dev/full 2>err.txt || fail "not undone: $(cat err.txt)"; else "$HOST" down 2>err.txt | true; fi
  is $PAGES 7
  host down
  as_before "heard by nobody, $ear"
done

# There was memory for fewer hugepages: the next `up` asks for the rest.
host up wire.json --hugepages 20
sed -i 's/^\(raised .*\) 13 \.$/\1 5 ./' state/host
echo 12 | tee $PAGES >free
host up wire.json --hugepages 20
is $PAGES 20
host down
echo 7 >free
as_before 'too few hugepages'

# An interface whose driver does not tell its queues.
ip tuntap add mode tap name bare0
echo '{"version": 1, "ports": [{"name": "bare", "device": "bare0"}]}' >bare.json
host up bare.json --hugepages 9
[[ $(ip -o link show bare0) == *[\<,]UP[,\>]* ]] || fail "not up: $(cat out.txt err.txt)"
host down
ip link del bare0
as_before 'no queues'

# The interface that carries a default route, by itself or below a bridge.
ip addr add 10.9.7.1/24 dev wan0
ip route add default via 10.9.7.2 dev wan0
expected=2 host up wire.json
grep -q 'port wan: wan0 carries the default route' err.txt || fail "not refused: $(cat err.txt)"
as_before 'refused'
host up wire.json --force --hugepages 9
host down
as_before 'forced'
ip route del default
ip link set lan0 up
ip address add 10.9.8.1/24 dev lan0
ip route add default nexthop via 10.9.8.2 dev lan0 nexthop via 10.9.7.2 dev wan0
expected=2 host up wire.json
grep -q 'carries the default route' err.txt || fail "not refused with two next hops: $(cat err.txt)"
echo '{"version": 1, "ports": [{"name": "wan", "device": "wan0"}]}' >second.json
expected=2 host up second.json
grep -q 'wan0 carries the default route' err.txt || fail "not refused by the second hop: $(cat err.txt)"
ip route del default
ip address del 10.9.8.1/24 dev lan0
ip link set lan0 down
ip link add br0 type bridge
ip link set wan0 master br0
ip link set br0 up
ip route add default dev br0
expected=2 host up wire.json
grep -q 'port wan: wan0 carries the default route' err.txt || fail "not refused below a bridge: $(cat err.txt)"
ip link del br0

# Queues: of a veth by rx and tx; also those of its peer if it has more TX queues than the veth will have RX queues.
ip link add many0 numtxqueues 4 numrxqueues 4 type veth peer name many1 numtxqueues 4 numrxqueues 4
counts() { ethtool -l "$1" | awk '/^Current/ { now = 1 } now && /^[RT]X:/ { printf "%s%s ", $1, $2 }'; }
echo '{"version": 1, "queues": 2, "ports": [{"name": "m", "device": "many0"}]}' >many.json
host up many.json --hugepages 0
[[ $(counts many0) == 'RX:2 TX:2 ' ]] || fail "many0: $(counts many0)"
[[ $(counts many1) == 'RX:4 TX:2 ' ]] || fail "many1: $(counts many1)"
timeout 60 "$PROGRAM" --profile many.json --duration 0.1 -- --no-huge >out.txt 2>err.txt || fail "does not start: $(cat err.txt)"
host down
[[ $(counts many0)$(counts many1) == 'RX:4 TX:4 RX:4 TX:4 ' ]] || fail "not as before: $(counts many0) $(counts many1)"
# A net_af_xdp port is found by name. One that carries the default route is refused, too.
echo '{"version": 1, "ports": [{"name": "m", "device": "net_af_xdp0,start_queue=1,queue_count=2,iface=many0"}]}' >vdev.json
host up vdev.json --hugepages 0
[[ $(counts many0) == 'RX:3 TX:3 ' ]] || fail "many0: $(counts many0)"
is /sys/class/net/many0/gro_flush_timeout 200000
host down
ip link set many0 up
ip addr add 10.9.6.1/24 dev many0
ip route add default via 10.9.6.2 dev many0
expected=2 host up vdev.json
grep -q 'port m: many0 carries the default route' err.txt || fail "not refused: $(cat err.txt)"
ip link del many0

# Hugepages: the need of the profile with the policy, and for two instances the sum.
pages_of() { echo $((($("$TWINPATH" doctor --memory --profile "$@") + 2097151) / 2097152)); }
echo '{"version": 1, "rules": [], "default": {"loss": {"model": "random", "rate": 0.5, "scope": "flow"}, "forward": "pass"}}' >flow.json
host up wire.json
is $PAGES "$(pages_of wire.json)"
host down
(($(pages_of wire.json --policy flow.json) > $(pages_of wire.json))) || fail 'a table of flows takes nothing'
host up wire.json --policy flow.json
is $PAGES "$(pages_of wire.json --policy flow.json)"
host down
as_before 'hugepages by the profile'
other() { TWINPATH_HOST_STATE=/run/work/state/host-other host "$@"; }
echo '{"version": 1, "ports": [{"name": "none", "device": "net_null0"}]}' >null.json
for order in 'host other' 'other host'; do
  host up null.json --hugepages 20
  is $PAGES 20
  other up null.json --hugepages 30
  is $PAGES 50
  other up null.json --hugepages 30
  is $PAGES 50
  read -r first second <<<"$order"
  "$first" down
  left=20
  if [[ $first == host ]]; then left=37; fi
  is $PAGES "$left"
  "$second" down
  is $PAGES 7
done
as_before 'two instances'

# The last instance unmounts the hugetlbfs, even if another one mounted it. On a machine without one, with a
# private /dev.
cat >last.sh <<'LAST'
set -euo pipefail
umount -l /run
mapfile -t mounted < <(awk '$3 == "hugetlbfs" { print $2 }' /proc/mounts)
for folder in "${mounted[@]}"; do umount -l "$folder"; done
mount -t tmpfs tmpfs /run
mkdir /run/dev /run/work
cp -a /dev/null /dev/fd /dev/stdout /run/dev/
mount --bind /run/dev /dev
cd /run/work
echo '{"version": 1, "ports": [{"name": "none", "device": "net_null0"}]}' >null.json
a() { TWINPATH_HOST_STATE=/run/work/state/a "$HOST" "$@" --hugepages 1; }
b() { TWINPATH_HOST_STATE=/run/work/state/b "$HOST" "$@" --hugepages 1; }
a up null.json
b up null.json
mountpoint /dev/hugepages
a down
mountpoint /dev/hugepages
b down
! mountpoint /dev/hugepages
[[ ! -e /dev/hugepages && ! -e state ]]
LAST
HOST=$HOST unshare --mount bash last.sh >out.txt 2>&1 || fail "hugetlbfs: $(cat out.txt)"

# A step that cannot be undone is reported and kept in the record; the rest is undone.
host up wire.json --hugepages 20
sed -i '2a file /sys/class/net/lan0/ifindex 4711 .' state/host
expected=1 host down
grep -q 'cannot undo: file /sys/class/net/lan0/ifindex 4711' err.txt || fail "not told: $(cat err.txt)"
grep -qx 'file /sys/class/net/lan0/ifindex 4711 .' state/host || fail "not kept: $(cat state/host)"
(($(wc -l <state/host) == 2)) || fail "not undone: $(cat state/host)"
is $PAGES 7
is /sys/class/net/lan0/gro_flush_timeout 0
expected=1 host down
rm -r state
as_before 'what could not be undone'

# Under the name of the installed command.
ln -s "$HOST" twinpath-host
./twinpath-host --help >out.txt
grep -q '^  twinpath-host up PROFILE' out.txt || fail "--help: $(cat out.txt)"
! grep -q 'tools/host\|^set ' out.txt || fail "--help: $(cat out.txt)"

# Wrong input is reported with status 2, and nothing is done.
bad() { # PROFILE WHAT-IS-SAID
  echo "$1" >bad.json
  expected=2 host up bad.json
  grep -qF -- "$2" err.txt || fail "of $1: $(cat err.txt)"
  as_before "$1"
}
bad '{"version": 1, "ports": [{"name": "a", "device": "../../../../tmp"}]}' '/ports/0/device: found "../../../../tmp"'
bad '{"version": 1, "ports": [{"name": "a", "device": ".."}]}' '/ports/0/device'
bad '{"version": 1, "ports": [{"name": "a b", "device": "lan0"}]}' '/ports/0/name: found "a b"'
bad '{"version": 1, "queues": -1, "ports": [{"name": "a", "device": "lan0"}]}' '/queues: found -1'
bad '{"version": 1, "queues": "two", "ports": [{"name": "a", "device": "lan0"}]}' '/queues: found "two"'
bad '{"version": 1, "queues": true, "ports": [{"name": "a", "device": "lan0"}]}' '/queues: found true'
bad '{"version": 1, "ports": [{"name": "a", "device": "net_af_xdp0"}]}' '/ports/0/device: found "net_af_xdp0"'
bad '{"version": 1, "ports": [7]}' '/ports/0: found 7'
bad '[]' 'found []'
for wrong in 'down wire.json' 'up' 'up absent.json' 'up pages' 'sideways' 'up wire.json --hugepages x' '--nonesuch'; do
  # shellcheck disable=SC2086 # words
  expected=2 host $wrong
  [[ -s err.txt ]] || fail "nothing said of: $wrong"
  as_before "$wrong"
done
echo '{"version": 1, "ports": [{"name": "a", "device": "nosuch0"}]}' >gone.json
expected=2 host up gone.json
as_before 'a port that is not there'

# Binding, on a fake machine.
ROOT=/run/work/root
export TWINPATH_HOST_ROOT=$ROOT TWINPATH_HOST_TWINPATH=$PWD/reckons
printf '#!/bin/bash\necho 1000000\n' >reckons
chmod +x reckons
device=$ROOT/sys/bus/pci/devices/0000:03:00.0
drivers=$ROOT/sys/bus/pci/drivers
mkdir -p "$device/net/enp3s0" "$drivers/ixgbe" "$drivers/vfio-pci" "$ROOT/sys/class/net/enp3s0" "$ROOT/proc/net" \
  "$ROOT$(dirname $PAGES)"
ln -s ../../drivers/ixgbe "$device/driver"
echo '(null)' >"$device/driver_override"
echo 0 | tee "$ROOT$PAGES" >"$ROOT${PAGES%nr_hugepages}free_hugepages"
printf 'Iface\tDestination\nenp3s0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n' >"$ROOT/proc/net/route"
echo '{"version": 1, "ports": [{"name": "lan", "device": "03:00.0"}]}' >bound.json
expected=2 host up bound.json
grep -q 'enp3s0 carries the default route' err.txt || fail "not refused: $(cat err.txt)"
[[ ! -e $drivers/ixgbe/unbind && ! -e state/host ]] || fail 'something was done'
: >"$ROOT/proc/net/route"
host up bound.json
is "$device/driver_override" vfio-pci
is "$drivers/ixgbe/unbind" 0000:03:00.0
is "$ROOT/sys/bus/pci/drivers_probe" 0000:03:00.0
ln -sfn ../../drivers/vfio-pci "$device/driver" # what the kernel would do
cp state/host once
host up bound.json
cmp once state/host || fail 'binding twice is not as once'
host down
is "$drivers/vfio-pci/unbind" 0000:03:00.0
is "$device/driver_override" ''
is "$ROOT$PAGES" 0
# With driverctl if it is installed; it does the rest.
cat >driverctl <<'SHIM'
#!/bin/bash
if [[ $1 == list-overrides ]]; then
  cat /run/work/overrides
  exit
fi
echo "$*" >>/run/work/driverctl.log
sed -i "/^$2 /d" /run/work/overrides
[[ $1 != set-override ]] || echo "$2 $3" >>/run/work/overrides
SHIM
: >overrides
chmod +x driverctl
ln -sfn ../../drivers/ixgbe "$device/driver"
TWINPATH_HOST_DRIVERCTL=$PWD/driverctl host up bound.json
TWINPATH_HOST_DRIVERCTL=$PWD/driverctl host down
is driverctl.log $'set-override 0000:03:00.0 vfio-pci\nunset-override 0000:03:00.0'
is "$device/driver_override" ''
# An override that was there before comes back.
echo '0000:03:00.0 uio_pci_generic' >overrides
: >driverctl.log
TWINPATH_HOST_DRIVERCTL=$PWD/driverctl host up bound.json
TWINPATH_HOST_DRIVERCTL=$PWD/driverctl host down
is driverctl.log $'set-override 0000:03:00.0 vfio-pci\nset-override 0000:03:00.0 uio_pci_generic'
# A step that was recorded but not done is not undone.
TWINPATH_HOST_DRIVERCTL=$PWD/driverctl host up bound.json
echo '0000:03:00.0 uio_pci_generic' >overrides
: >driverctl.log
TWINPATH_HOST_DRIVERCTL=$PWD/driverctl host down
is driverctl.log ''
[[ ! -e state ]] || fail "left: $(ls -R state)"
umount $PAGES ${PAGES%nr_hugepages}free_hugepages
