#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# twinpath doctor is right about this machine. If it says that a profile can start, the program starts; if it
# says that it cannot, the program refuses and names what is missing. This holds for root and nobody, with
# one hugepage, and with an interface that is in use.
set -euo pipefail
# shellcheck source=tests/lib/dpdk_lab.sh
source "$(dirname -- "$0")/../../lib/dpdk_lab.sh"

as=() # who runs the doctor and the program

# judge STATUS PROFILE [EXPRESSION]...: checks that the doctor's exit status is STATUS, that a real start
# agrees, and that each Python expression is true. The expressions use the report `r`, and `bad`, a map
# from name to check of its checks that are not ok.
judge() {
  local expected=$1 profile=$2 status=0 expression
  shift 2
  "${as[@]}" "$TWINPATH" doctor --profile "$profile" --json >report.json 2>err.txt || status=$?
  ((status == expected)) || fail "doctor (${as[*]}): exit status $status of $profile: $(cat report.json err.txt)"
  for expression in "$@"; do
    python3 - "$expression" <<'PYTHON' || fail "$profile: not so: $expression: $(cat report.json)"
import json, sys
r = json.load(open("report.json"))
bad = {(c["check"] + " " + c["subject"]).strip(): c for c in r["checks"] if c["grade"] == "missing"}
warned = [c["found"] for c in r["checks"] if c["grade"] == "warning"]
sys.exit(0 if eval(sys.argv[1]) else 1)
PYTHON
  done
  status=0
  "${as[@]}" timeout 30 "$PROGRAM" --profile "$profile" --duration 0.1 >out.txt 2>err.txt || status=$?
  ((status == expected * 2)) || fail "the program (${as[*]}): exit status $status of $profile: $(cat err.txt)"
}

profile() { # FILE PORTS [MEMBER]
  echo "{\"version\": 1, \"eal\": [\"--no-pci\"], \"ports\": [$2]${3:+, $3}}" >"$1"
}
profile null.json '{"name": "a", "device": "net_null0"}'
profile interface.json '{"name": "a", "device": "lan0"}' '"queues": 2'
profile three.json '{"name": "a", "device": "lan0"}' '"queues": 3'
ip link add lan0 numtxqueues 2 numrxqueues 2 type veth peer name far0 numtxqueues 2 numrxqueues 2
ip link set lan0 up
ip link set far0 up
chmod 1777 /run/work
mkdir -m 1777 /run/user # where nobody's program has its telemetry
export XDG_RUNTIME_DIR=/run/user

# EAL cannot open a hugetlbfs that is covered by another mount.
umount /run/hugepages
mkdir -p covered/hugepages
mount -t hugetlbfs -o pagesize=2M hugetlbfs covered/hugepages
mount -t tmpfs tmpfs covered
judge 1 null.json '"cannot be opened" in bad["hugetlbfs"]["found"]'
umount covered

# Root, on a machine where nothing is missing.
judge 0 null.json 'not bad' 'r["starts"]'
judge 0 interface.json 'not bad'
status=0
"$TWINPATH" doctor --json >report.json || status=$?
((status == 0)) || fail "without a profile: exit status $status: $(cat report.json)"
"$TWINPATH" doctor >report.txt
grep -q '^twinpath-xdp would start$' report.txt || fail "no verdict on the XDP path: $(cat report.txt)"
grep -q 'interface lan0 .*driver veth, 2 RX queues, AF_XDP by copy, XDP native' report.txt || fail "lan0: $(cat report.txt)"

# Checksums that senders leave to a NIC, and what the ports do with them.
grep -q '^note     checksums far0, lan0  *senders leave TCP and UDP checksums to a NIC; ports on these interfaces finish them' \
  report.txt || fail "checksums: $(cat report.txt)"
judge 0 interface.json \
  '[c["mend"] for c in r["checks"] if (c["check"], c["grade"]) == ("checksums", "note")] == ["ethtool -K far0 tx off"]'
profile leave.json '{"name": "a", "device": "lan0", "checksums": "leave"}' '"queues": 2'
judge 0 leave.json '"senders behind veth leave TCP and UDP checksums to a NIC; the port sends them unfinished (\"checksums\": \"leave\")" in warned'
ip tuntap add tap0 mode tap
"$TWINPATH" doctor >report.txt
ip link del tap0
grep -q '^note     checksums tap0  *twinpath-xdp in generic mode sends frames into a TAP device with unfinished checksums' \
  report.txt || fail "TAP: $(cat report.txt)"
grep -q 'fix:    twinpath-xdp --mode native, or at the senders: ethtool -K IFACE tx off$' report.txt || fail "TAP: $(cat report.txt)"

# A virtual device that cuts frames.
profile packet.json '{"name": "a", "device": "net_af_packet0,iface=lan0"}'
judge 0 packet.json 'any(w.startswith("net_af_packet0 cuts received frames to 1982 bytes") for w in warned)'

# An interface that does not fit the profile.
mend() { # CHECK: runs the command that the last report gives for it
  local command
  command=$(python3 -c 'import json, sys
print(*(c["mend"] for c in json.load(open("report.json"))["checks"]
        if (c["check"] + " " + c["subject"]).strip() == sys.argv[1] and c["mend"]))' "$1")
  [[ -n $command ]] || fail "no mend of $1: $(cat report.json)"
  PATH=$PWD/bin:$PATH bash -c "$command" >mend.txt 2>&1 || fail "$command: $(cat mend.txt)"
}
mkdir bin
printf '#!/bin/bash\nexec "$@"\n' >bin/sudo
printf '#!/bin/bash\nexec %q "$@" --duration 0.1\n' "$PROGRAM" >bin/twinpath-dpdk
chmod +x bin/*
judge 1 three.json 'bad["interface port a, lan0"]["mend"] == "twinpath-dpdk --profile three.json --queues 2"'
mend 'interface port a, lan0' # a veth has no more queues than it was made with
profile counted.json '{"name": "a", "device": "lan0"}' '"queues": 2, "exception": "none"'
ip link set lan0 mtu 4000
judge 1 counted.json 'bad["interface port a, lan0"]["mend"] == "ip link set dev lan0 mtu 3168"'
mend 'interface port a, lan0'
judge 0 counted.json 'not bad'
ip link set lan0 mtu 1505
judge 0 counted.json 'not bad'
profile tapped.json '{"name": "a", "device": "lan0"}' '"queues": 2, "exception": "tap"'
judge 1 tapped.json '"MTU of a TAP device is at most 1504" in r["paths"]["dpdk"]["refusal"]'
ip link set lan0 mtu 1504
judge 0 tapped.json 'not bad'
ip link set lan0 mtu 1500
fewer() { # AF_XDP releases its queues late
  local i
  for ((i = 0; i < 100; i++)); do
    if ethtool -L "$@" 2>err.txt; then return; fi
    sleep 0.1
  done
  fail "ethtool -L $*: $(cat err.txt)"
}
fewer far0 tx 1
fewer lan0 rx 1
judge 1 interface.json 'bad["interface port a, lan0"]["mend"] == "ethtool -L lan0 rx 2"'
mend 'interface port a, lan0'
judge 0 interface.json 'not bad'
ethtool -L far0 tx 2
profile gone.json '{"name": "a", "device": "nosuch0"}'
judge 1 gone.json '"interface port a, nosuch0" in bad' '"no interface" in r["paths"]["dpdk"]["refusal"]'
ip link add bent0 numtxqueues 1 numrxqueues 1 type veth peer name bent1 numtxqueues 2 numrxqueues 2
ip link set bent0 up
profile bent.json '{"name": "a", "device": "bent0"}'
judge 1 bent.json 'bad["interface port a, bent0"]["found"] == "its peer has 2 TX queues"' \
  'bad["interface port a, bent0"]["mend"] == "ethtool -L bent1 tx 1"'
mend 'interface port a, bent0'
judge 0 bent.json 'not bad'
ip link del bent0
# Interfaces without native XDP, and a veth whose peer, with more TX queues, is in another network namespace.
ip link add plain0 type bridge
ip link add plain1 link far0 type macvlan
ip link set plain0 up
ip link set plain1 up
for interface in plain0 plain1; do
  profile plain.json "{\"name\": \"a\", \"device\": \"$interface\"}"
  judge 1 plain.json "bad['interface port a, $interface']['found'] == 'no native XDP'"
  grep -q "port a: interface $interface: .* has no native XDP, and the AF_XDP PMD needs it; use twinpath-xdp" err.txt ||
    fail "$interface: $(cat err.txt)"
  ip link del "$interface"
done
ip netns add peers
ip link add bent0 numtxqueues 1 numrxqueues 1 type veth peer name bent1 netns peers numtxqueues 2 numrxqueues 2
ip link set bent0 up
judge 1 bent.json 'bad["interface port a, bent0"]["found"] == "its peer has more TX queues than it has RX queues"'
grep -q 'bent0: veth refused native XDP: the peer has more TX queues than this end has RX queues' err.txt || fail "$(cat err.txt)"
ip netns del peers

# Only EAL and its PMDs know drivers, their arguments, and options. The trial start creates nothing that a
# real start would create, and writes to no file.
vdev() { # STATUS DEVICE [EXPRESSION]...
  local status=$1
  profile vdev.json "{\"name\": \"a\", \"device\": \"$2\"}"
  shift 2
  judge "$status" vdev.json "$@"
}
eal() { # STATUS ARGUMENTS [EXPRESSION]...
  local status=$1
  echo "{\"version\": 1, \"eal\": [$2], \"ports\": [{\"name\": \"a\", \"device\": \"net_null0\"}]}" >eal.json
  shift 2
  judge "$status" eal.json "$@"
}
vdev 1 net_foo0 '"net_foo0" in bad["start"]["found"]' 'r["paths"]["dpdk"]["refusal"] == bad["start"]["found"]'
vdev 1 net_null0,bogus=1 '"net_null0,bogus=1" in bad["start"]["found"]'
vdev 0 net_null0,size=128,copy=1 'not bad'
vdev 0 net_tap7,iface=seen7 'not bad'
vdev 1 net_tap7,mac=bogus '"start" in bad'
vdev 0 net_af_packet0,iface=far0 'not bad'
vdev 1 net_af_packet0,iface=far0,bogus=1 '"start" in bad'
vdev 1 net_af_packet0,iface=nosuch0 '"no interface" in bad["start"]["found"]'
vdev 1 net_af_xdp0,iface=lan0,bogus=1 '"start" in bad'
vdev 1 net_memif0 '"net_memif0" in bad["start"]["found"]' # "would start" is said of what is known to
eal 1 '"--no-pci", "--frobnicate"' '"--frobnicate" in bad["start"]["found"]'
eal 1 '"--vdev=net_foo1"' '"start" in bad'
eal 0 '"--vdev=net_null1", "--no-pci"' 'not bad'
eal 0 '"--vdev", "net_null1", "--huge-unlink=always"' 'not bad'
echo kept >kept.pcap
cp kept.pcap kept
profile pcap.json '{"name": "a", "device": "net_pcap0,tx_pcap=kept.pcap"}'
"$TWINPATH" doctor --profile pcap.json >out.txt || fail "net_pcap: $(cat out.txt)"
cmp kept kept.pcap || fail 'the trial start wrote into a capture'
vdev 1 net_pcap0,tx_pcap=nosuch/out.pcap '"tx_pcap=nosuch/out.pcap" in bad["start"]["found"]'
profile tap.json '{"name": "a", "device": "net_tap7,iface=seen7"}'
ip monitor link >links.txt &
monitor=$!
"$TWINPATH" doctor --profile tap.json >out.txt || fail "net_tap: $(cat out.txt)"
ip link set far0 down
for ((i = 0; i < 100; i++)); do
  if grep -q far0 links.txt; then break; fi
  sleep 0.05
done
kill "$monitor"
ip link set far0 up
grep -q far0 links.txt || fail 'the monitor of interfaces saw nothing'
! grep -q seen7 links.txt || fail "an interface was made: $(cat links.txt)"
nothing_left
[[ -z $(compgen -G "$TMPDIR/twinpath-doctor-*") ]] || fail 'left a runtime folder'

# The memory that a profile needs is known before the machine is ready for it.
[[ $("$TWINPATH" doctor --memory --profile gone.json) =~ ^[0-9]+$ ]] || fail 'no memory of a port that is not there'
bytes=$("$TWINPATH" doctor --memory --profile interface.json)
judge 0 interface.json "any(c['check'] == 'hugepages' and c['needed'] == '$(((bytes + 1048575) / 1048576)) MiB' for c in r['checks'])"

# An interface that another program uses, and the one of the SSH session.
"$PROGRAM" --port a=lan0 --queues 2 -- --file-prefix=other >out.txt 2>err.txt &
pid=$!
for ((i = 0; i < 300; i++)); do
  if grep -q ': lcores ' err.txt; then break; fi
  kill -0 "$pid" 2>/dev/null || fail "did not start: $(cat err.txt)"
  sleep 0.1
done
judge 1 interface.json '"has the XDP program" in bad["interface port a, lan0"]["found"]'
profile other.json '{"name": "a", "device": "net_null0"}'
sed -i 's/"--no-pci"/"--no-pci", "--file-prefix=other"/' other.json
judge 1 other.json '"a running DPDK program uses the file prefix" in r["paths"]["dpdk"]["refusal"]'
stop TERM
ip addr add 10.9.8.1/24 dev lan0
export SSH_CONNECTION='10.9.8.7 50000 10.9.8.1 22'
judge 0 interface.json 'any("you are logged in through it (from 10.9.8.7)" in w for w in warned)'
ip addr add 10.9.9.1/24 dev far0
ip route add 10.9.8.7/32 nexthop via 10.9.9.2 dev far0 nexthop via 10.9.8.2 dev lan0
judge 0 interface.json 'any("you are logged in through it (from 10.9.8.7)" in w for w in warned)'
ip route del 10.9.8.7/32
unset SSH_CONNECTION
# The default route: of two hops, or in a table that only a rule leads to.
judge 0 interface.json 'not any("default route" in w for w in warned)'
for table in main 100; do
  ip route add default table "$table" nexthop via 10.9.9.2 dev far0 nexthop via 10.9.8.2 dev lan0
  judge 0 interface.json 'any("it carries the default route" in w for w in warned)'
  ip route del default table "$table"
done
ip -6 route add default dev lan0 table 100
judge 0 interface.json 'any("it carries the default route" in w for w in warned)'
ip -6 route del default dev lan0 table 100
ip addr del 10.9.9.1/24 dev far0

# Nobody: virtual devices need nothing, interfaces need capabilities and the right to lock memory.
nobody() { # CAPABILITY...
  local sets=-all name
  for name in "$@"; do sets+=,+$name; done
  as=(setpriv --reuid 65534 --regid 65534 --clear-groups "--inh-caps=$sets" "--ambient-caps=$sets" "--bounding-set=$sets")
}
nobody
judge 0 null.json 'not bad'
judge 1 interface.json '"no CAP_NET_RAW, no CAP_NET_ADMIN, no CAP_SYS_ADMIN" == bad["capabilities"]["found"]' '"memlock" in bad'
# The runtime folder.
XDG_RUNTIME_DIR=/nonexist judge 1 null.json '"/nonexist/dpdk/twinpath-dpdk cannot be created in /" in bad["runtime folder"]["found"]' \
  'bad["runtime folder"]["mend"].startswith("export XDG_RUNTIME_DIR=")'
as_is=("${as[@]}") as=()
mount -t tmpfs -o ro tmpfs /run/user
RUNTIME_DIRECTORY=/run/user judge 1 null.json '"remount,rw" in bad["runtime folder"]["mend"]'
umount /run/user
as=("${as_is[@]}")
rm -rf /sys/fs/bpf/xdp # which libxdp left behind as root
nobody net_raw net_admin bpf ipc_lock
judge 1 interface.json 'bad["capabilities"]["found"] == "no CAP_SYS_ADMIN"'
nobody net_raw net_admin sys_admin
(
  ulimit -l 8192
  judge 1 interface.json 'list(bad) == ["memlock"]'
)
nobody net_raw net_admin sys_admin ipc_lock
mkdir -m 700 /sys/fs/bpf/xdp
judge 1 interface.json 'bad["bpffs"]["mend"] == "sudo rmdir /sys/fs/bpf/xdp"'
rmdir /sys/fs/bpf/xdp
judge 0 interface.json 'not bad'
# The capabilities of the program count, and a file may have them: the advice fixes what is missing.
own=$PROGRAM
cp "$TWINPATH" "$PROGRAM" /run/work/bin/
PROGRAM=/run/work/bin/twinpath-dpdk TWINPATH=/run/work/bin/twinpath
rm -rf /sys/fs/bpf/xdp
as=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --ambient-caps=-all)
judge 1 interface.json '"no CAP_NET_RAW, no CAP_NET_ADMIN, no CAP_SYS_ADMIN" == bad["capabilities"]["found"]' \
  'bad["capabilities"]["mend"].endswith(",cap_ipc_lock+ep /run/work/bin/twinpath-dpdk")'
mend capabilities
judge 0 interface.json 'not bad'
as=("${as[@]}" --no-new-privs)
judge 1 interface.json '"capabilities" in bad'
PROGRAM=$own TWINPATH=${own%-dpdk}
as=()

# One hugepage, then none.
echo 1 >one
echo 0 >none
for file in /sys/kernel/mm/hugepages/hugepages-*/free_hugepages; do mount --bind none "$file"; done
judge 1 null.json '"echo" in bad["hugepages"]["mend"]'
mount --bind one /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages
judge 1 null.json 'bad["hugepages"]["found"] == "2 MiB free"'
sed 's/"--no-pci"/"--no-pci", "--no-huge"/' null.json >small.json
judge 0 small.json 'not bad'

# Files that are not profiles.
for wrong in absent.json one; do
  status=0
  "$TWINPATH" doctor --profile "$wrong" >out.txt 2>err.txt || status=$?
  ((status == 2 && $(wc -l <err.txt) == 1)) || fail "exit status $status of $wrong: $(cat err.txt)"
done
echo '{"version": 1}' >empty.json
status=0
"$TWINPATH" doctor --profile empty.json 2>err.txt || status=$?
((status == 2)) || fail "exit status $status without ports"
nothing_left
