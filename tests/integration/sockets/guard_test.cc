// SPDX-License-Identifier: BSD-3-Clause
// The guard of an interface's stack, on a veth: what the stack receives under each kind of guard,
// and what a killed process leaves behind.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "src/kernel/link/link.h"
#include "src/kernel/link/stack_guard.h"

namespace twinpath {
namespace {

std::string Shell(const std::string& command) {
  std::string said;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen((command + " 2>&1").c_str(), "r"), pclose);
  std::array<char, 4096> line;
  while (fgets(line.data(), line.size(), pipe.get()) != nullptr) said += line.data();
  return said;
}

class StackGuardTest : public ::testing::TestWithParam<GuardBy> {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        Shell("ip netns add far && ip link add guard0 type veth peer name eth0 netns far && "
              "ip addr add 10.9.0.1/24 dev guard0 && ip link set guard0 up && "
              "ip -n far addr add 10.9.0.2/24 dev eth0 && ip -n far link set eth0 up && "
              "ip neigh add 10.9.0.2 lladdr $(ip netns exec far cat /sys/class/net/eth0/address) "
              "dev guard0 && ip -n far neigh add 10.9.0.1 lladdr $(cat "
              "/sys/class/net/guard0/address) dev eth0"),
        "");
    index_ = IndexOfLink("guard0");
  }
  void TearDown() override { Shell("ip link del guard0; ip netns del far"); }

  // Whether the interface's stack answers its peer.
  static bool Answers() {
    return std::system("ip netns exec far ping -q -c 1 -W 1 10.9.0.1 >/dev/null 2>&1") == 0;
  }
  static std::string Filters() {
    return Shell("tc filter show dev guard0 ingress; tc filter show dev guard0 egress");
  }

  // Holds the guard in a process that is then killed.
  void HoldAndKill() const {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
      const auto guard = StackGuard::Hold(index_, "lan", GetParam());
      const char held = guard.ok() ? 'y' : 'n';
      if (write(ready[1], &held, 1) == 1) pause();
      _exit(1);
    }
    char held = 0;
    ASSERT_EQ(read(ready[0], &held, 1), 1);
    EXPECT_EQ(held, 'y');
    EXPECT_FALSE(Answers());
    EXPECT_FALSE(GuardLeftBehind(index_)) << "its owner lives";
    EXPECT_EQ(
        StackGuard::Hold(index_, "lan").status().message(),
        "port lan: guard0 is already a port of another twinpath-socket; end that program first");
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    close(ready[0]);
    close(ready[1]);
  }

  uint32_t index_ = 0;
};

TEST_P(StackGuardTest, TheStackReceivesNothingUntilTheGuardEnds) {
  ASSERT_TRUE(Answers());
  {
    const auto guard = StackGuard::Hold(index_, "lan", GetParam());
    ASSERT_TRUE(guard.ok()) << guard.status();
    EXPECT_FALSE(Answers());
    EXPECT_EQ(guard->by_filters(), GetParam() == GuardBy::kFilters);
  }
  EXPECT_TRUE(Answers());
  EXPECT_EQ(Filters(), "");
}

TEST_P(StackGuardTest, TheNextGuardRemovesWhatAKilledProcessLeft) {
  HoldAndKill();
  const bool left = GetParam() == GuardBy::kFilters;
  EXPECT_EQ(GuardLeftBehind(index_), left);
  EXPECT_EQ(Answers(), !left);
  { EXPECT_TRUE(StackGuard::Hold(index_, "lan").ok()); }
  EXPECT_FALSE(GuardLeftBehind(index_));
  EXPECT_EQ(Filters(), "");
  EXPECT_TRUE(Answers());
}

TEST_P(StackGuardTest, DoctorsFixRemovesThemToo) {
  HoldAndKill();
  Shell("tc filter del dev guard0 ingress prio 1; tc filter del dev guard0 egress prio 1");
  EXPECT_FALSE(GuardLeftBehind(index_));
  EXPECT_TRUE(Answers());
}

TEST_P(StackGuardTest, OtherFiltersStay) {
  ASSERT_EQ(Shell("tc qdisc add dev guard0 clsact && tc filter add dev guard0 ingress prio 7 bpf "
                  "bytecode '1,6 0 0 0'"),
            "");
  const std::string before = Filters();
  { EXPECT_TRUE(StackGuard::Hold(index_, "lan", GetParam()).ok()); }
  EXPECT_EQ(Filters(), before);
}

INSTANTIATE_TEST_SUITE_P(By, StackGuardTest, ::testing::Values(GuardBy::kLinks, GuardBy::kFilters),
                         [](const auto& by) {
                           return by.param == GuardBy::kLinks ? "Links" : "Filters";
                         });

}  // namespace
}  // namespace twinpath
