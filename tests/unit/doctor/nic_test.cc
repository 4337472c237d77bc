// SPDX-License-Identifier: BSD-3-Clause
// The doctor's checks of NICs, interfaces and the routes to them.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "src/doctor/checks.h"
#include "tests/unit/lib/doctor_fixture.h"

namespace twinpath {
namespace {

TEST_F(DoctorTest, ANicThatTheKernelHasIsToldHowToBind) {
  Pci("0000:03:00.0", "ixgbe", "enp3s0");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  const Findings findings = Nics();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].grade, Grade::kMissing);
  EXPECT_EQ(findings[0].found, "bound to ixgbe, node 1, the kernel's enp3s0");
  EXPECT_EQ(findings[0].fix,
            "echo vfio-pci > /sys/bus/pci/devices/0000:03:00.0/driver_override && "
            "echo 0000:03:00.0 > /sys/bus/pci/devices/0000:03:00.0/driver/unbind && "
            "echo 0000:03:00.0 > /sys/bus/pci/drivers_probe");
  Write("usr/sbin/driverctl", "");
  EXPECT_EQ(Nics()[0].fix, "driverctl set-override 0000:03:00.0 vfio-pci");
}

TEST_F(DoctorTest, ANicOfAnotherNetworkNamespaceIsNotToldToBeBound) {
  Pci("0000:03:00.0", "ixgbe", "");  // its interface is the host's
  for (const char* port : {"lan", ""}) {
    needs_.nics = {{.port = port, .pci = "0000:03:00.0", .native = true}};
    const Findings findings = Nics();
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].grade, *port ? Grade::kMissing : Grade::kNote);
    EXPECT_EQ(findings[0].found,
              "bound to ixgbe, node 1, and no interface of it is in this network namespace");
    EXPECT_EQ(findings[0].fix, "");
  }
  EXPECT_EQ(host_->machine().BindCommand("0000:03:00.0"), "");
}

TEST_F(DoctorTest, ANicWithoutADriverIsNotToldToBeUnbound) {
  Pci("0000:03:00.0", "", "");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  EXPECT_EQ(Nics()[0].fix,
            "echo vfio-pci > /sys/bus/pci/devices/0000:03:00.0/driver_override && "
            "echo 0000:03:00.0 > /sys/bus/pci/drivers_probe");
}

TEST_F(DoctorTest, TheNicOfTheDefaultRouteIsNotToldToBeBound) {
  Pci("0000:03:00.0", "ixgbe", "enp3s0");
  Interface("br0");
  fs::create_symlink("../br0", root_ / "sys/class/net/enp3s0/upper_br0");
  Write("proc/self/net/route",
        "Iface\tDestination\nbr0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  const Findings findings = Nics();
  EXPECT_EQ(findings[0].grade, Grade::kMissing);
  EXPECT_TRUE(absl::StrContains(findings[0].found, "it carries the default route, through br0"))
      << findings[0].found;
  EXPECT_FALSE(absl::StrContains(findings[0].fix, "driverctl")) << findings[0].fix;
}

TEST_F(DoctorTest, TheSshSessionsRouteIsTheLongestPrefixThatFits) {
  Write("proc/self/status", "PPid:\t41");
  Write("proc/41/status", "PPid:\t1");
  Write("proc/41/environ", std::string("A=b\0SSH_CONNECTION=10.1.2.3 50 10.1.2.1 22\0", 44));
  Write("proc/self/net/route",
        "Iface\tDestination\n"
        "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n"
        "eth1\t0000010A\t00000000\t0001\t0\t0\t0\t0000FFFF\n"
        "eth2\t0003010A\t00000000\t0001\t0\t0\t0\t00FFFFFF");
  const std::vector<Login> logins = host_->Logins();
  ASSERT_EQ(logins.size(), 1u);
  EXPECT_EQ(logins[0].interface, "eth1");
  EXPECT_EQ(logins[0].how, "you are logged in through it (from 10.1.2.3)");
}

TEST_F(DoctorTest, AnIpv6SessionIsFoundByIpv6Routes) {
  const std::string zeros(32, '0'), gateway = " " + zeros + " 00000400 1 0 00000003 ";
  Write("proc/self/environ", std::string("SSH_CONNECTION=2001:db8::7 50 2001:db8::1 22\0", 45));
  Write("proc/self/net/ipv6_route", zeros + " 00 " + zeros + " 00" + gateway + "eth0\n20010db8" +
                                        std::string(24, '0') + " 40 " + zeros + " 00" + gateway +
                                        "eth1");
  EXPECT_EQ(host_->Logins().at(0).interface, "eth1");
}

TEST_F(DoctorTest, WithoutAnIommuVfioCannotWork) {
  Pci("0000:03:00.0", "vfio-pci", "");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  EXPECT_EQ(One(CheckIommu, "", needs_).grade, Grade::kMissing);
  EXPECT_EQ(One(CheckIommu, "vfio_pci", needs_).fix, "sudo modprobe vfio-pci");
  fs::create_directories(root_ / "sys/kernel/iommu_groups/14");
  fs::create_directories(root_ / "sys/module/vfio_pci");
  EXPECT_EQ(One(CheckIommu, "", needs_).found, "on, 1 groups");
  EXPECT_EQ(One(CheckIommu, "vfio_pci", needs_).grade, Grade::kOk);
}

TEST_F(DoctorTest, UnsafeNoIommuModeIsTakenAndSaid) {
  Pci("0000:03:00.0", "vfio-pci", "");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  Write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
  EXPECT_EQ(One(CheckIommu, "", needs_).found, "off; vfio works without it (unsafe)");
  EXPECT_EQ(One(CheckIommu, "", needs_).grade, Grade::kOk);
}

TEST_F(DoctorTest, ANicThatAnotherProcessHoldsIsNotFree) {
  Pci("0000:03:00.0", "vfio-pci", "");
  fs::create_symlink("../../../../kernel/iommu_groups/14",
                     root_ / "sys/bus/pci/devices/0000:03:00.0/iommu_group");
  Write("dev/vfio/14", "");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  ASSERT_EQ(Nics().size(), 1u);
  EXPECT_EQ(Nics()[0].grade, Grade::kOk);
  Write("proc/4711/comm", "testpmd");
  fs::create_directories(root_ / "proc/4711/fd");
  fs::create_symlink("/dev/vfio/14", root_ / "proc/4711/fd/23");
  const Findings findings = Nics();
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[1].grade, Grade::kMissing);
  EXPECT_EQ(findings[1].found, "held by process 4711 (testpmd)");
  EXPECT_EQ(findings[1].fix, "kill 4711");
}

TEST_F(DoctorTest, ANicOfAnotherUsersVfioGroupIsToldHowToGetIt) {
  Pci("0000:03:00.0", "vfio-pci", "");
  fs::create_symlink("../../../../kernel/iommu_groups/14",
                     root_ / "sys/bus/pci/devices/0000:03:00.0/iommu_group");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  const Findings findings = Nics();  // /dev/vfio/14 does not exist
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[1].grade, Grade::kMissing);
  EXPECT_EQ(findings[1].found, "/dev/vfio/14 is not accessible to this user");
}

TEST_F(DoctorTest, NicsThatStayWithTheirDriverNeedNoVfio) {
  Pci("0000:03:00.0", "mlx5_core", "enp3s0");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  EXPECT_EQ(Nics()[0].grade, Grade::kOk);
  Findings findings;
  CheckIommu(*host_, needs_, &findings);
  EXPECT_TRUE(findings.empty());
}

TEST_F(DoctorTest, AnInterfaceWithAnXdpProgramIsNotFree) {
  Interface("lan0");
  needs_.nics = {{.port = "lan", .interface = "lan0"}};
  InterfaceFacts facts;
  facts.xdp_program = "xdp_pass, id 7, generic";
  facts.xdp_detach = "ip link set dev lan0 xdpgeneric off";
  const Findings findings = Nics(facts);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[1].grade, Grade::kMissing);
  EXPECT_EQ(findings[1].found, "has the XDP program xdp_pass, id 7, generic");
  EXPECT_EQ(findings[1].fix, "ip link set dev lan0 xdpgeneric off");
}

TEST_F(DoctorTest, FiltersOfAKilledProgramAreNamed) {
  Interface("lan0");
  needs_.nics = {{.port = "lan", .interface = "lan0"}};
  InterfaceFacts facts;
  facts.guard_left = true;
  const Findings findings = Nics(facts);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[1].grade, Grade::kWarning);
  EXPECT_EQ(findings[1].found,
            "has filters of a killed twinpath-socket: the host receives nothing by it");
  EXPECT_EQ(findings[1].fix,
            "tc filter del dev lan0 ingress prio 1; tc filter del dev lan0 egress prio 1");
}

TEST_F(DoctorTest, QueuesAndMtuMustFit) {
  Interface("lan0", 2, 9000);
  needs_.nics = {{.port = "lan", .interface = "lan0", .queues = 4}};
  const Findings findings = Nics();
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[1].fix, "ethtool -L lan0 combined 4");
  EXPECT_EQ(findings[2].fix, "ip link set dev lan0 mtu 3168");
  EXPECT_EQ(findings[2].grade, Grade::kMissing);
  needs_.command = "twinpath-dpdk --profile p.json";
  InterfaceFacts facts;
  facts.max_queues = 2;
  EXPECT_EQ(Nics(facts)[1].fix, "twinpath-dpdk --profile p.json --queues 2");
}

TEST_F(DoctorTest, AfXdpNeedsNativeXdp) {
  Interface("br0");
  needs_.nics = {{.port = "lan", .interface = "br0"}};
  InterfaceFacts facts;
  facts.native = false;
  const Findings findings = Nics(facts);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[1].grade, Grade::kMissing);
  EXPECT_EQ(findings[1].found, "no native XDP");
  EXPECT_EQ(findings[1].fix, "twinpath-xdp --port lan=br0");
}

TEST_F(DoctorTest, ZeroCopyIsTheKernelsWordWhereItHasOne) {
  Pci("0000:03:00.0", "ice", "enp3s0");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .interface = "enp3s0"}};
  EXPECT_TRUE(absl::StrContains(Nics()[0].found, "AF_XDP zero-copy, judging by the driver"));
  InterfaceFacts facts;
  facts.zero_copy = false;
  facts.native = true;
  EXPECT_EQ(Nics(facts)[0].found, "driver ice, node 1, 2 RX queues, AF_XDP by copy, XDP native");
}

TEST_F(DoctorTest, SendersThatLeaveChecksumsAreNamedWithWhatThePortDoes) {
  Pci("0000:03:00.0", "virtio_net", "eth1");
  Pci("0000:04:00.0", "ixgbe", "eth2");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .interface = "eth1"},
                 {.port = "wan", .pci = "0000:04:00.0", .interface = "eth2"}};
  Findings findings;
  CheckChecksums(*host_, needs_, &findings);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].grade, Grade::kNote);
  EXPECT_EQ(findings[0].subject, "port lan, eth1");
  EXPECT_EQ(
      findings[0].found,
      "senders behind virtio_net leave TCP and UDP checksums to a NIC; the port finishes them");
  EXPECT_EQ(findings[0].fix, "at the senders: ethtool -K IFACE tx off");
  needs_.nics[0].checksums = Checksums::kLeave;
  findings.clear();
  CheckChecksums(*host_, needs_, &findings);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].grade, Grade::kWarning);
  EXPECT_EQ(findings[0].found,
            "senders behind virtio_net leave TCP and UDP checksums to a NIC; the port sends them "
            "unfinished (\"checksums\": \"leave\")");
  EXPECT_EQ(
      findings[0].fix,
      "set \"checksums\": \"complete\" in the profile, or at the senders: ethtool -K IFACE tx "
      "off");
}

TEST_F(DoctorTest, WithoutAProfileOneFindingNamesTheInterfacesAndOneTheTaps) {
  for (int i = 0; i < 5; i++) {
    const std::string address = absl::StrCat("0000:03:00.", i);
    Pci(address, i == 0 ? "tun" : "virtio_net", absl::StrCat("eth", i));
    needs_.nics.push_back({.pci = address, .interface = absl::StrCat("eth", i)});
  }
  Findings findings;
  CheckChecksums(*host_, needs_, &findings);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].subject, "eth0, eth1, eth2, eth3 and 1 more");
  EXPECT_EQ(findings[0].grade, Grade::kNote);
  EXPECT_EQ(findings[1].subject, "eth0");
  EXPECT_EQ(findings[1].fix,
            "twinpath-xdp --mode native, or at the senders: ethtool -K IFACE tx off");
}

TEST_F(DoctorTest, WarningsAboutVirtualDevicesArePassedOn) {
  needs_.warnings = {
      "port lan: net_af_packet0 cuts received frames to 1982 bytes: ethtool -K lan0"};
  Findings findings;
  CheckVdevs(needs_, &findings);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].grade, Grade::kWarning);
  EXPECT_EQ(findings[0].check, "port lan");
  EXPECT_EQ(findings[0].found,
            "net_af_packet0 cuts received frames to 1982 bytes: ethtool -K lan0");
}

}  // namespace
}  // namespace twinpath
