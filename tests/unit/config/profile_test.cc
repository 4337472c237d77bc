// SPDX-License-Identifier: BSD-3-Clause
// Profile JSON, --port and --lcores: the meaning of each key, and the exact error for each mistake.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/profile/profile.h"

namespace twinpath {
namespace {

std::string ErrorOf(const std::string& members) {
  absl::Status status =
      ParseProfile(absl::StrCat(R"({"version": 1, )", members, "}"), "p").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << members;
  return std::string(status.message());
}

constexpr char kDevice[] =
    "allowed a PCI address, a kernel interface, or a DPDK vdev with its arguments";
constexpr char kCpus[] =
    "allowed CPU numbers such as \"0-3,6\", each from 0 to 1023, once, ranges upwards";

TEST(ProfileTest, TheLeastProfileHasTheDefaults) {
  absl::StatusOr<Profile> p = ParseProfile(R"({"version": 1})", "p");
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->file, "p");
  EXPECT_TRUE(p->ports.empty());
  EXPECT_EQ(p->queues, 1u);
  EXPECT_EQ(p->rx_descriptors, 1024u);
  EXPECT_EQ(p->mbufs, 0u);
  EXPECT_TRUE(p->promiscuous);
  EXPECT_EQ(p->exception, ExceptionPath::kAuto);
  EXPECT_TRUE(p->telemetry);
  EXPECT_EQ(p->idle, Idle::kBusy);
  EXPECT_FALSE(p->end_with_captures);
}

TEST(ProfileTest, EveryKeyIsRead) {
  absl::StatusOr<Profile> p = ParseProfile(R"({
    "version": 1, "about": "a", "eal": ["--no-huge", "-m", "256"],
    "ports": [{"name": "lan", "device": "0000:03:00.0", "checksums": "complete"},
              {"name": "wan", "device": "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap"}],
    "queues": 4, "lcores": [6, 1, 2], "rx_descriptors": 512, "tx_descriptors": 256, "mbufs": 65536,
    "mempool_cache": 128, "burst": 64, "mtu": 9000, "promiscuous": false, "exception": "tap",
    "telemetry": false, "idle": "adaptive", "end_with_captures": true})",
                                           "p");
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->about, "a");
  EXPECT_EQ(p->eal, (std::vector<std::string>{"--no-huge", "-m", "256"}));
  ASSERT_EQ(p->ports.size(), 2u);
  EXPECT_EQ(p->ports[0].device, "0000:03:00.0");
  EXPECT_EQ(p->ports[0].checksums, Checksums::kComplete);
  EXPECT_EQ(p->ports[1].checksums, Checksums::kAuto);
  EXPECT_EQ(p->ports[1].name, "wan");
  EXPECT_EQ(p->ports[1].device, "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap");
  EXPECT_EQ(p->queues, 4u);
  EXPECT_EQ(p->lcores, (std::vector<uint32_t>{1, 2, 6}));
  EXPECT_EQ(p->rx_descriptors, 512u);
  EXPECT_EQ(p->tx_descriptors, 256u);
  EXPECT_EQ(p->mbufs, 65536u);
  EXPECT_EQ(p->mempool_cache, 128u);
  EXPECT_EQ(p->burst, 64u);
  EXPECT_EQ(p->mtu, 9000u);
  EXPECT_FALSE(p->promiscuous);
  EXPECT_EQ(p->exception, ExceptionPath::kTap);
  EXPECT_FALSE(p->telemetry);
  EXPECT_EQ(p->idle, Idle::kAdaptive);
  EXPECT_TRUE(p->end_with_captures);
}

TEST(ProfileTest, LcoresMayBeAList) {
  absl::StatusOr<Profile> p = ParseProfile(R"({"version": 1, "lcores": "0-2,8"})", "p");
  ASSERT_TRUE(p.ok()) << p.status();
  EXPECT_EQ(p->lcores, (std::vector<uint32_t>{0, 1, 2, 8}));
}

TEST(ProfileTest, NumbersOutsideTheirRangesAreRefused) {
  struct Case {
    const char* key;
    const char* value;
    const char* range;
  };
  for (const Case& c : {Case{"queues", "0", "1 to 64"},
                        {"queues", "65", "1 to 64"},
                        {"queues", "-1", "1 to 64"},
                        {"queues", "\"4\"", "1 to 64"},
                        {"burst", "0", "1 to 64"},
                        {"burst", "65", "1 to 64"},
                        {"rx_descriptors", "31", "32 to 32768"},
                        {"tx_descriptors", "32769", "32 to 32768"},
                        {"mbufs", "16777217", "0 to 16777216"},
                        {"mempool_cache", "513", "0 to 512"},
                        {"mtu", "67", "68 to 9702"},
                        {"mtu", "1500.5", "68 to 9702"}}) {
    EXPECT_EQ(
        ErrorOf(absl::StrCat("\"", c.key, "\": ", c.value)),
        absl::StrCat("p: /", c.key, ": found ", c.value, ", allowed an integer from ", c.range));
  }
}

TEST(ProfileTest, WrongTypesAndWordsAreRefused) {
  EXPECT_EQ(ErrorOf(R"("promiscuous": 1)"), "p: /promiscuous: found 1, allowed true or false");
  EXPECT_EQ(ErrorOf(R"("telemetry": "no")"), "p: /telemetry: found \"no\", allowed true or false");
  EXPECT_EQ(ErrorOf(R"("about": 1)"), "p: /about: found 1, allowed a string");
  EXPECT_EQ(ErrorOf(R"("exception": "kni")"),
            "p: /exception: found \"kni\", allowed \"auto\", \"virtio_user\", \"tap\" or \"none\"");
  EXPECT_EQ(ErrorOf(R"("idle": "lazy")"),
            "p: /idle: found \"lazy\", allowed \"busy\" or \"adaptive\"");
  EXPECT_EQ(ErrorOf(R"("eal": "-m 256")"),
            "p: /eal: found \"-m 256\", allowed an array of strings: EAL's arguments");
  EXPECT_EQ(ErrorOf(R"("eal": ["-m", 256])"),
            "p: /eal/1: found 256, allowed a string: one of EAL's arguments");
  EXPECT_EQ(ErrorOf(R"("queue": 1)").substr(0, 31), "p: /queue: found an unknown key");
  EXPECT_EQ(ErrorOf(R"("mtu": 1500, "mtu": 1500)"), "p: /mtu: found the key twice, allowed once");
}

TEST(ProfileTest, TheVersionComesFirst) {
  EXPECT_EQ(ParseProfile("{}", "p").status().message(), "p: /version: found nothing, allowed 1");
  EXPECT_EQ(ParseProfile("[]", "p").status().message(),
            "p: found an array of 0, allowed an object with the key version");
}

TEST(ProfileTest, PortsHaveNamesAndDevicesOfTheirOwn) {
  EXPECT_EQ(
      ErrorOf(R"("ports": [{"name": "a", "device": "x"}, {"name": "a", "device": "y"}])"),
      "p: /ports/1/name: found \"a\", the name of /ports/0 too, allowed a name of its own for "
      "each port");
  EXPECT_EQ(ErrorOf(R"("ports": [{"name": "a", "device": "x"}, {"name": "b", "device": "x"}])"),
            "p: /ports/1/device: found \"x\", the device of /ports/0 too, allowed a device of its "
            "own for each port");
  EXPECT_EQ(ErrorOf(R"("ports": [{"device": "x"}])").substr(0, 29),
            "p: /ports/0/name: found nothi");
  EXPECT_EQ(ErrorOf(R"("ports": [{"name": "a"}])"),
            absl::StrCat("p: /ports/0/device: found nothing, ", kDevice));
  EXPECT_EQ(ErrorOf(R"("ports": [{"name": "a", "device": "eth0 eth1"}])"),
            absl::StrCat("p: /ports/0/device: found \"eth0 eth1\", ", kDevice));
  EXPECT_EQ(ErrorOf(R"("ports": [{"name": "a", "device": "x", "mtu": 1}])"),
            "p: /ports/0/mtu: found an unknown key, allowed name, device, checksums");
  EXPECT_EQ(ErrorOf(R"("ports": [{"name": "a", "device": "x", "checksums": "maybe"}])"),
            "p: /ports/0/checksums: found \"maybe\", allowed \"complete\" or \"leave\"");
  EXPECT_EQ(ErrorOf(R"("ports": {"name": "a", "device": "x"})"),
            "p: /ports: found an object, allowed an array of at most 16 ports");
}

TEST(ProfileTest, BadLcoresAreRefused) {
  EXPECT_EQ(ErrorOf(R"("lcores": "3-1")"), absl::StrCat("p: /lcores: found \"3-1\", ", kCpus));
  EXPECT_EQ(ErrorOf(R"("lcores": [1024])"),
            "p: /lcores/0: found 1024, allowed an integer from 0 to 1023");
  EXPECT_EQ(ErrorOf(R"("lcores": [1, 1])"), "p: /lcores/1: found 1 twice, allowed each CPU once");
  EXPECT_EQ(ErrorOf(R"("lcores": 1)").substr(0, 19), "p: /lcores: found 1");
}

TEST(PortSpecTest, NameAndDeviceAreCutAtTheFirstEqualsSign) {
  absl::StatusOr<PortSpec> port = ParsePortSpec("in=net_pcap0,rx_pcap=a.pcap");
  ASSERT_TRUE(port.ok()) << port.status();
  EXPECT_EQ(port->name, "in");
  EXPECT_EQ(port->device, "net_pcap0,rx_pcap=a.pcap");
}

TEST(PortSpecTest, MistakesAreNamed) {
  EXPECT_EQ(ParsePortSpec("eth0").status().message(),
            "--port: found \"eth0\", allowed NAME=DEVICE");
  EXPECT_EQ(ParsePortSpec("=eth0").status().message(),
            "--port: found \"\" as the name in \"=eth0\", allowed a port's name: 1 to 32 letters, "
            "digits, "
            "'_', '.' or '-', starting with a letter or digit");
  EXPECT_EQ(ParsePortSpec("lan=").status().message(),
            absl::StrCat("--port: found \"\" as the device in \"lan=\", ", kDevice));
}

TEST(CpuListTest, RangesAndNumbersComeOutInOrder) {
  EXPECT_EQ(*ParseCpuList("0"), std::vector<uint32_t>{0});
  EXPECT_EQ(*ParseCpuList("6,0-3"), (std::vector<uint32_t>{0, 1, 2, 3, 6}));
  EXPECT_EQ(*ParseCpuList("1023"), std::vector<uint32_t>{1023});
}

TEST(CpuListTest, MistakesAreNamed) {
  for (const char* text : {"", ",", "1,", ",1", "1-", "-1", "a", "1 ,2", "1024", "0-4294967296",
                           "3-1", "0x1", "1--2"}) {
    EXPECT_EQ(ParseCpuList(text).status().message(),
              absl::StrCat("--lcores: found \"", text, "\", ", kCpus));
  }
  EXPECT_EQ(ParseCpuList("0-3,2").status().message(),
            "--lcores: found CPU 2 twice in \"0-3,2\", allowed each CPU once");
}

TEST(Checksums, ADefaultForEachDriverThatASettingOverrides) {
  for (const char* driver : {"veth", "tun", "virtio_net"}) {
    EXPECT_TRUE(CompletesChecksums(Checksums::kAuto, driver)) << driver;
    EXPECT_FALSE(CompletesChecksums(Checksums::kLeave, driver)) << driver;
  }
  for (const char* driver : {"", "ixgbe", "mlx5_core", "bridge", "macvlan", "vethx"}) {
    EXPECT_FALSE(CompletesChecksums(Checksums::kAuto, driver)) << driver;
    EXPECT_TRUE(CompletesChecksums(Checksums::kComplete, driver)) << driver;
  }
}

TEST(Checksums, TheOptionIsForAllPortsOrForOne) {
  const auto applied = [](const std::vector<std::string>& options) {
    std::vector<PortSpec> ports = {{"a", "x"}, {"b", "y"}};
    const absl::Status status = ApplyChecksums(options, &ports);
    EXPECT_TRUE(status.ok()) << status;
    return std::pair(ports[0].checksums, ports[1].checksums);
  };
  using enum Checksums;
  EXPECT_EQ(applied({}), std::pair(kAuto, kAuto));
  EXPECT_EQ(applied({"leave"}), std::pair(kLeave, kLeave));
  EXPECT_EQ(applied({"b=complete"}), std::pair(kAuto, kComplete));
  EXPECT_EQ(applied({"complete", "a=leave"}), std::pair(kLeave, kComplete));
  std::vector<PortSpec> ports = {{"a", "x"}};
  EXPECT_EQ(ApplyChecksums({"c=leave"}, &ports).message(),
            "--checksums: found \"c=leave\", allowed the name of a port that is given");
  for (const char* wrong : {"", "a", "a=", "=leave2", "a=Leave"}) {
    EXPECT_EQ(ApplyChecksums({wrong}, &ports).message(),
              absl::StrCat("--checksums: found \"", wrong,
                           "\", allowed \"complete\" or \"leave\", or NAME= and one of them"));
  }
}

}  // namespace
}  // namespace twinpath
