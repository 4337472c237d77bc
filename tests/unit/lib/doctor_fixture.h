// SPDX-License-Identifier: BSD-3-Clause
// A fake machine for tests of the doctor: a folder with its /proc and /sys. Each test has its own
// machine.

#ifndef TWINPATH_TESTS_UNIT_LIB_DOCTOR_FIXTURE_H_
#define TWINPATH_TESTS_UNIT_LIB_DOCTOR_FIXTURE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "src/doctor/checks.h"

namespace twinpath {

namespace fs = std::filesystem;
using Grade = Finding::Grade;

inline constexpr char kHuge[] = "sys/kernel/mm/hugepages/hugepages-";
inline constexpr uint64_t kMiB = 1ull << 20;

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() {
    static int number = 0;
    root_ = fs::path(::testing::TempDir()) / absl::StrCat("doctor", getpid(), "_", number++);
    fs::create_directories(root_);
    host_.emplace(root_.string());
    needs_.for_profile = true;
    needs_.memory_bytes = 64 * kMiB;
  }
  ~DoctorTest() override { fs::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  void Pages(const std::string& size, int total, int free) {
    Write(kHuge + size + "/nr_hugepages", std::to_string(total));
    Write(kHuge + size + "/free_hugepages", std::to_string(free));
  }
  void NodePages(int node, int total, int free) {
    const std::string folder =
        absl::StrCat("sys/devices/system/node/node", node, "/hugepages/hugepages-2048kB/");
    Write(folder + "nr_hugepages", std::to_string(total));
    Write(folder + "free_hugepages", std::to_string(free));
  }
  void Pci(const std::string& address, const std::string& driver, const std::string& interface) {
    const std::string folder = "sys/bus/pci/devices/" + address;
    Write(folder + "/class", "0x020000");
    Write(folder + "/numa_node", "1");
    if (!driver.empty()) fs::create_symlink("../../drivers/" + driver, root_ / folder / "driver");
    if (interface.empty()) return;
    fs::create_directories(root_ / folder / "net" / interface);
    Interface(interface);
    fs::create_symlink("../../../bus/pci/devices/" + address,
                       root_ / "sys/class/net" / interface / "device");
  }
  void Interface(const std::string& name, int queues = 2, int mtu = 1500) {
    const std::string folder = "sys/class/net/" + name;
    Write(folder + "/ifindex", std::to_string(++index_));
    Write(folder + "/iflink", std::to_string(index_));
    Write(folder + "/mtu", std::to_string(mtu));
    Write(folder + "/flags", "0x1003");
    for (int i = 0; i < queues; i++)
      fs::create_directories(root_ / folder / "queues" / absl::StrCat("rx-", i));
  }
  void Capabilities(uint64_t set) {
    Write("proc/self/status", absl::StrCat("PPid:\t0\nCapEff:\t", absl::Hex(set)));
  }

  // The only finding of `check`, or that of `subject`.
  template <typename Check, typename... More>
  Finding One(Check check, const std::string& subject, const More&... more) {
    Findings findings;
    check(*host_, more..., &findings);
    for (const Finding& finding : findings)
      if (finding.subject == subject) return finding;
    ADD_FAILURE() << "no finding of '" << subject << "' among " << findings.size();
    return {};
  }
  Findings Nics(const InterfaceFacts& facts = {}) {
    Findings findings;
    CheckNics(
        *host_, needs_, [&](const std::string&) { return facts; }, &findings);
    return findings;
  }

  fs::path root_;
  int index_ = 0;
  std::optional<DoctorHost> host_;
  DoctorNeeds needs_;
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_DOCTOR_FIXTURE_H_
