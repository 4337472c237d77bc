#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Wrong input is refused before anything is changed: exit status 2, one line on stderr with the mistake and
# the command that fixes it, and nothing is left behind.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

# refuses [--] PATTERN ARGUMENT...
refuses() {
  [[ $1 != -- ]] || shift
  local pattern=$1 status=0
  shift
  timeout 30 "$PROGRAM" "$@" >out.txt 2>err.txt || status=$?
  ((status == 2)) || fail "exit status $status, not 2, of: $*: $(cat err.txt)"
  (($(wc -l <err.txt) == 1)) || fail "not one line on stderr of: $*: $(cat err.txt)"
  [[ ! -s out.txt ]] || fail "something on stdout of: $*: $(cat out.txt)"
  grep -qE -- "$pattern" err.txt || fail "'$pattern' is not in the error of: $*: $(cat err.txt)"
  nothing_left
}

null=(--port a=net_null0 --packets 1)
plain=(-- --no-huge)

refuses 'no port: give --port NAME=DEVICE or a profile with ports' "${plain[@]}"
refuses -- '--port: found "eth0", allowed NAME=DEVICE' --port eth0 "${plain[@]}"
refuses -- '--port: found "" as the name in "=eth0"' --port =eth0 "${plain[@]}"
refuses -- '--port: found "" as the device in "a="' --port a= "${plain[@]}"
refuses 'given twice' --port a=net_null0 --port a=net_null1 "${plain[@]}"
refuses 'already belongs to another port' --port a=net_null0 --port b=net_null0 "${plain[@]}"
refuses 'absent.json' "${null[@]}" --policy absent.json
refuses 'absent.json' "${null[@]}" --profile absent.json
: >empty.json
refuses 'empty.json' "${null[@]}" --policy empty.json
for loss in 101% -0.1 1.1 50 nan ''; do
  refuses -- "--loss: found \"$loss\", allowed a fraction from 0 to 1 or a percentage" "${null[@]}" --loss "$loss"
done
for seed in -1 1.5 x 18446744073709551616; do
  refuses -- "--seed: found \"$seed\", allowed an integer from 0 to 18446744073709551615" "${null[@]}" --seed "$seed"
done
for packets in 0 -1 1e3 x 18446744073709551616; do
  refuses -- "--packets: found \"$packets\", allowed an integer from 1 to" --port a=net_null0 --packets "$packets"
done
for seconds in 0 -1 nan inf 1e10 1s; do
  for option in --duration --stats-interval; do
    refuses -- "$option: found \"$seconds\", allowed a number of seconds from 0.001" "${null[@]}" "$option" "$seconds"
  done
done
for count in 31 32769 x; do
  for option in --rxd --txd; do refuses -- "^twinpath-dpdk: $option: found \"$count\", allowed an integer from 32 to 32768\$" "${null[@]}" "$option" "$count"; done
done
refuses -- '^twinpath-dpdk: --burst: found "65", allowed an integer from 1 to 64$' "${null[@]}" --burst 65
# What users of dpdk-testpmd type.
refuses -- '^twinpath-dpdk: --forward-mode=macswap is an option of dpdk-testpmd; here: --forward reflect, which sends frames back by their own port$' \
  "${null[@]}" -- --no-huge --forward-mode=macswap
refuses -- '--forward-mode=5tswap is an option of dpdk-testpmd; here: --forward reflect-flow, ' "${null[@]}" --forward-mode=5tswap
refuses -- '--forward-mode=icmpecho is an option of dpdk-testpmd; here: --forward reflect-echo$' "${null[@]}" --forward-mode=icmpecho
refuses -- '--forward-mode=flowgen is an option of dpdk-testpmd; here: twinpath generate --port DEVICE --flows N' "${null[@]}" --forward-mode flowgen
refuses -- '--nb-cores is an option of dpdk-testpmd; here: --lcores LIST' "${null[@]}" --nb-cores=2
refuses -- '--eth-peer is an option of dpdk-testpmd; here: nothing: forwarded frames keep' "${null[@]}" -- --no-huge --eth-peer=0,00:00:00:00:00:01
refuses -- '--stats-period is an option of dpdk-testpmd; here: --stats-interval S' "${null[@]}" --stats-period 1
refuses -- '--tx-first is an option of dpdk-testpmd; here: twinpath generate' "${null[@]}" -- --tx-first
refuses -- '-l is an option of EAL; here: --lcores LIST' "${null[@]}" -l 0
refuses -- '--rxd is an option of twinpath-dpdk: give it before --' "${null[@]}" -- --rxd=512
for lcores in x 3-1 0,0 ''; do
  refuses -- '--lcores: found .*, allowed (CPU numbers such as "0-3,6"|each CPU once)' "${null[@]}" --lcores "$lcores"
done
refuses -- '--forward: found "wire" with 1 ports?, allowed an even number of ports' "${null[@]}" --forward wire
refuses 'nowhere' "${null[@]}" --forward nowhere
refuses -- '--match requires --loss' "${null[@]}" --match proto=udp
refuses -- '--match: /proto: found "upd", allowed 0 to 255, or a name' "${null[@]}" --loss 1% --match proto=upd
echo '{"version": 1, "rules": [{"name": "all", "forward": "drop"}]}' >all.json
refuses -- '--(policy and --match|match and --policy) are mutually exclusive' "${null[@]}" --loss 1% --match proto=udp --policy all.json
refuses -- '--loss 5% does nothing with all.json: .* /rules/0 \(all\) takes everything' \
  "${null[@]}" --policy all.json --loss 5%
refuses -- '--forward reflect does nothing with all.json: .* /rules/0 \(all\) takes everything' \
  "${null[@]}" --policy all.json --forward reflect
refuses 'queues' "${null[@]}" --queues 65
refuses 'summary' "${null[@]}" --summary /run/none/summary.json
refuses -- '--frobnicate: found an unknown option, allowed those of twinpath-dpdk --help$' "${null[@]}" --frobnicate

# Profiles. Unit tests cover the reader; these errors depend on devices.
# profile JSON: writes the profile of the next program.
profile() { printf '%s' "$1" >profile.json; }
profile '{"version": 1, "queues": 1, "queues": 2}'
refuses '^twinpath-dpdk: profile.json: /queues: found the key twice, allowed once$' "${null[@]}" --profile profile.json
profile '{"version": 1, "burst": 65}'
refuses '^twinpath-dpdk: profile.json: /burst: found 65, allowed an integer from 1 to 64 \(line 1, column 16\)$' "${null[@]}" --profile profile.json
profile '{"version": 1, "ports": [{"name": "b", "device": "net_null1"}], "quues": 1}'
refuses '^twinpath-dpdk: profile.json: /quues: found an unknown key, allowed version, ' "${null[@]}" --profile profile.json
profile '{"version": 1, "mbufs": 1000}'
refuses '^twinpath-dpdk: profile.json: /mbufs: found 1000, allowed 1888 or more for these' "${null[@]}" --profile profile.json "${plain[@]}"
refuses '^twinpath-dpdk: profile.json: /mbufs: found 1000, allowed 1328 or more for these' "${null[@]}" --profile profile.json \
  --rxd 512 --txd 256 --burst 16 "${plain[@]}"
profile '{"version": 1, "eal": ["-l", "0"]}'
refuses 'EAL argument -l: lcores are chosen by --lcores' "${null[@]}" --profile profile.json "${plain[@]}"
if [[ ! -e /dev/vhost-net ]]; then
  profile '{"version": 1, "exception": "virtio_user"}'
  refuses 'port a: .*virtio_user needs .*/dev/vhost-net.*modprobe vhost_net' "${null[@]}" --profile profile.json "${plain[@]}"
fi

# Devices.
refuses "no interface 'eth77'" --port a=eth77
refuses 'no PCI device 0000:7f:1f.7' --port a=7f:1f.7
refuses 'not a PCI address' --port a=fe80::1
refuses 'not a PCI address' --port a=0000:03:00.9
refuses 'net_nonesuch0' --port a=net_nonesuch0 "${plain[@]}"
refuses 'port a: rx_pcap=missing.pcap: No such file' --port a=net_pcap0,rx_pcap=missing.pcap "${plain[@]}"
echo 'not frames' >text.pcap
refuses 'port a: rx_pcap=text.pcap is neither a pcap nor a pcapng file' --port a=net_pcap0,rx_pcap=text.pcap "${plain[@]}"
ip link add one0 type veth peer name one1
ip link set one0 up
refuses 'has 1 RX queue, fewer than the 2 asked for.*--queues 1' --port a=one0 --queues 2
refuses 'the device has 16 queues.*--queues 16' --port a=net_ring0 --queues 17 --forward drop "${plain[@]}"
ip link set one0 mtu 9000
refuses 'MTU of 9000.*ip link set dev one0 mtu' --port a=one0
ip link set one0 mtu 1500
ip link add tp-a type veth peer name tp-z
refuses 'tp-a.*ip link del tp-a' --port a=one0 --forward pass
ip link del tp-a

# An interface that has an XDP program keeps it.
start --port a=one0 --forward reflect -- --no-huge --file-prefix other
status=0
"$PROGRAM" --port b=one0 --forward reflect -- --no-huge 2>err.txt || status=$?
((status == 2)) || fail "exit status $status on an interface with an XDP program"
grep -q 'one0 already has an XDP program.*ip link set dev one0 xdp off' err.txt || fail "$(cat err.txt)"
ip link show one0 | grep -q xdp || fail "the XDP program is gone"
# Two programs cannot have the same file prefix.
status=0
"$PROGRAM" "${null[@]}" -- --no-huge --file-prefix other 2>err.txt || status=$?
((status == 2)) || fail "exit status $status with the same file prefix"
grep -q "file prefix 'other'" err.txt || fail "the same prefix: $(cat err.txt)"
kill -0 "$pid" || fail "the first program ended"
stop TERM

# Lcores.
refuses 'lcore 127 is not available' "${null[@]}" --lcores 127
if [[ $(taskset -cp $$) == *[-,]* ]]; then
  refuses '2 lcores for 1 queue' "${null[@]}" --lcores 0,1 "${plain[@]}"
fi
refuses 'chosen by --lcores' "${null[@]}" -- -l 0
refuses 'EAL did not start' "${null[@]}" -- --no-huge --nonesuch

# Memory and privileges.
refuses '-m 8 is less than' "${null[@]}" -- --no-huge -m 8
# The error names the memory of a large policy, too, and the suggested command works.
python3 -c 'import json
print(json.dumps({"version": 1, "rules": [{"match": {"proto": "udp", "dst_port": n}} for n in range(65534)]}))' >large.json
refuses '-m 51 is less than the 10[0-9] MiB' "${null[@]}" --policy large.json --queues 4 -- --no-huge -m 51
advice=$(grep -o '[-]m [0-9]*$' err.txt)
# shellcheck disable=SC2086 # two words
run_eal "${null[@]}" --policy large.json --queues 4 -- --no-huge $advice
echo 0 >none
echo 1 >one
for file in /sys/kernel/mm/hugepages/hugepages-*/free_hugepages; do mount --bind none "$file"; done
refuses 'too few free hugepages|no hugepages' "${null[@]}"
grep -q 'echo [0-9]* > /sys/kernel/mm/hugepages' err.txt || fail "no command: $(cat err.txt)"
mount --bind one /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages
refuses 'too few free hugepages|no hugepages' "${null[@]}"
umount /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages
# An interface needs capabilities; virtual devices need none.
ip link add plain0 type veth peer name plain1
mkdir -m 1777 /run/user
nobody=(env XDG_RUNTIME_DIR=/run/user setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set -all "$PROGRAM")
status=0
"${nobody[@]}" --port lan=plain0 -- --no-huge 2>err.txt || status=$?
((status == 2)) || fail "exit status $status without root: $(cat err.txt)"
grep -q 'missing capabilities: CAP_NET_RAW, CAP_NET_ADMIN, CAP_SYS_ADMIN; .*sudo' err.txt || fail "without root: $(cat err.txt)"
ip link del plain0
"${nobody[@]}" "${null[@]}" --duration 0.1 -- --no-huge >out.txt 2>err.txt || fail "vdevs without root: $(cat err.txt)"
nothing_left
