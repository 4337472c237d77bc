// SPDX-License-Identifier: BSD-3-Clause
// Tests how DEVICE is parsed, and the arguments for EAL, with a fake sysfs and without starting
// EAL.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "src/dpdk/eal/eal.h"
#include "src/dpdk/eal/preflight.h"
#include "src/dpdk/port/device.h"
#include "src/kernel/machine.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class DpdkDevice : public ::testing::Test {
 protected:
  DpdkDevice() : root_(fs::path(::testing::TempDir()) / "dpdk_device_sysfs"), machine_(root_) {
    fs::remove_all(root_);
    fs::create_directories(Pci(""));
  }
  ~DpdkDevice() override { fs::remove_all(root_); }

  fs::path Pci(const std::string& address) { return root_ / "sys/bus/pci/devices" / address; }

  void AddPci(const std::string& address, const std::string& driver) {
    fs::create_directories(Pci(address));
    if (!driver.empty()) fs::create_symlink("../drivers/" + driver, Pci(address) / "driver");
  }

  void Write(const fs::path& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }

  absl::StatusOr<Device> Resolve(const std::string& device) {
    return ResolveDevice({.name = "p", .device = device}, 1, machine_);
  }

  std::string ErrorOf(const std::string& device) {
    auto resolved = Resolve(device);
    return resolved.ok() ? "" : std::string(resolved.status().message());
  }

  fs::path root_;
  Machine machine_;
};

TEST_F(DpdkDevice, APciAddressBoundToVfioIsNativeInEverySpelling) {
  AddPci("0000:03:00.1", "vfio-pci");
  for (const char* spelling : {"0000:03:00.1", "03:00.1", "3:0.1"}) {
    auto device = Resolve(spelling);
    ASSERT_TRUE(device.ok()) << device.status();
    EXPECT_EQ(device->kind, Device::Kind::kPci);
    EXPECT_EQ(device->pci, "0000:03:00.1");
    EXPECT_EQ(device->mode, "native");
    EXPECT_THAT(device->why, HasSubstr("bound to vfio-pci"));
    EXPECT_TRUE(device->kernel_behind);
  }
}

TEST_F(DpdkDevice, APciAddressThatTheKernelHasIsToldHowToBind) {
  Write("usr/sbin/driverctl", "");
  AddPci("0000:03:00.0", "e1000e");
  fs::create_directories(Pci("0000:03:00.0") / "net/enp3s0");
  EXPECT_THAT(ErrorOf("03:00.0"), HasSubstr("bound to e1000e, not to vfio-pci"));
  EXPECT_THAT(ErrorOf("03:00.0"), HasSubstr("driverctl set-override 0000:03:00.0 vfio-pci"));
  EXPECT_THAT(ErrorOf("03:00.0"), HasSubstr("enp3s0"));
  AddPci("0000:04:00.0", "");
  EXPECT_THAT(ErrorOf("04:00.0"), HasSubstr("bound to no driver"));
  EXPECT_THAT(ErrorOf("05:00.0"), HasSubstr("no PCI device 0000:05:00.0"));
}

TEST_F(DpdkDevice, AMellanoxNicStaysWithItsKernelDriver) {
  AddPci("0000:03:00.0", "mlx5_core");
  EXPECT_TRUE(Resolve("03:00.0").ok());
}

TEST_F(DpdkDevice, ThePredictableNameOfAnInterfaceThatIsGoneFindsItsNic) {
  AddPci("0000:0b:00.1", "vfio-pci");
  AddPci("0001:0b:00.0", "vfio-pci");
  AddPci("0000:05:00.0", "vfio-pci");
  Write("sys/bus/pci/slots/7/address", "0000:05:00");
  AddPci("0000:06:00.0", "vfio-pci");
  Write("sys/bus/pci/devices/0000:06:00.0/acpi_index", "2");
  for (const auto& [name, pci] :
       {std::pair("enp11s0f1", "0000:0b:00.1"), std::pair("enP1p11s0", "0001:0b:00.0"),
        std::pair("enp11s0f1np1", "0000:0b:00.1"), std::pair("ens7", "0000:05:00.0"),
        std::pair("eno2", "0000:06:00.0")}) {
    auto device = Resolve(name);
    ASSERT_TRUE(device.ok()) << name << device.status();
    EXPECT_EQ(device->pci, pci) << name;
    EXPECT_THAT(device->why, HasSubstr(name));
  }
  EXPECT_THAT(ErrorOf("enp12s0"), HasSubstr("no interface 'enp12s0'"));
  EXPECT_THAT(ErrorOf("eth0"), HasSubstr("no interface 'eth0'"));
}

TEST_F(DpdkDevice, VdevsAreToldByTheirNames) {
  auto device = Resolve("net_pcap0,rx_pcap=/dev/null,tx_pcap=out.pcap");
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->kind, Device::Kind::kVdev);
  ASSERT_EQ(device->vdevs.size(), 1u);
  EXPECT_EQ(device->vdevs[0].name, "net_pcap0");
  EXPECT_EQ(device->vdevs[0].arguments, "rx_pcap=/dev/null,tx_pcap=out.pcap");
  EXPECT_FALSE(device->kernel_behind);
  EXPECT_TRUE(Resolve("net_tap0,iface=x")->kernel_behind);
  EXPECT_FALSE(Resolve("net_ring3")->kernel_behind);
}

TEST_F(DpdkDevice, WhatIsNeitherIsAnError) {
  for (const char* odd : {"fe80::1", "0000:03:00.9", "2001:db8::/32"})
    EXPECT_THAT(ErrorOf(odd), HasSubstr("not a PCI address")) << odd;
  for (const char* odd : {"", " ", "../net", "net", "an interface"})
    EXPECT_THAT(ErrorOf(odd), HasSubstr("no interface")) << odd;
}

TEST_F(DpdkDevice, MoreQueuesThanSoftwareCanSpreadOverAreRefusedBeforeEal) {
  for (const RssSpread spread : {RssSpread::kAuto, RssSpread::kSoftware}) {
    Profile profile;
    profile.ports = {{.name = "p", .device = "net_null0"}};
    profile.rss.spread = spread;
    profile.queues = 17;
    const absl::Status refused = PlanStart(profile, CompiledPolicy(), {}, machine_).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("at most 16 queues, and 17"));
  }
}

std::vector<std::string> Arguments(const std::vector<std::string>& user) {
  auto plan = PlanEal({.lcores = {2, 5}, .arguments = user, .memory_bytes = 100 << 20});
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? plan->arguments : std::vector<std::string>();
}

TEST(DpdkEal, MemoryIsPrivateUnlessAskedOtherwise) {
  EXPECT_THAT(Arguments({}), Contains("--in-memory"));
  for (const char* shared : {"--huge-dir=/mnt", "--legacy-mem", "--proc-type=primary"})
    EXPECT_THAT(Arguments({shared}), Not(Contains("--in-memory"))) << shared;
  EXPECT_THAT(Arguments({"--no-huge"}), Not(Contains("--in-memory")));
  EXPECT_THAT(Arguments({"--no-huge"}), Contains("-m101"));
  EXPECT_THAT(Arguments({"--no-huge", "-m", "512"}), Not(Contains("-m101")));
}

TEST(DpdkEal, LcoresAndPrefixesAreChecked) {
  EXPECT_THAT(Arguments({}), Contains("2,5"));
  EXPECT_THAT(Arguments({}), Contains("--file-prefix=twinpath-dpdk"));
  EXPECT_EQ(PlanEal({.lcores = {0}, .arguments = {"--file-prefix", "x"}})->file_prefix, "x");
  EXPECT_EQ(PlanEal({.lcores = {0}, .arguments = {"--file-prefix=y"}})->file_prefix, "y");
  const std::vector<std::vector<std::string>> refused = {{"-l", "1"},
                                                         {"-c3"},
                                                         {"--lcores=1"},
                                                         {"--main-lcore", "1"},
                                                         {"--file-prefix", "../x"},
                                                         {"--file-prefix", ".."},
                                                         {"--file-prefix="}};
  for (const auto& arguments : refused)
    EXPECT_FALSE(PlanEal({.lcores = {0}, .arguments = arguments}).ok()) << arguments[0];
}

}  // namespace
}  // namespace twinpath
