// SPDX-License-Identifier: BSD-3-Clause
// The doctor's checks of hugepages, rights, kernel and CPUs, and its report.

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <string>

#include "absl/strings/match.h"
#include "src/doctor/checks.h"
#include "src/doctor/program.h"
#include "src/doctor/report.h"
#include "tests/unit/lib/doctor_fixture.h"

namespace twinpath {
namespace {

TEST_F(DoctorTest, EnoughHugepagesAreOk) {
  Pages("2048kB", 40, 32);
  const Finding finding = One(CheckHugepages, "", needs_);
  EXPECT_EQ(finding.grade, Grade::kOk);
  EXPECT_EQ(finding.found, "64 MiB free");
  EXPECT_EQ(finding.needed, "64 MiB");
  EXPECT_EQ(finding.fix, "");
}

TEST_F(DoctorTest, TooFewHugepagesAreToldWithTheNumberThatIsEnough) {
  Pages("2048kB", 40, 31);  // others use 9
  const Finding finding = One(CheckHugepages, "", needs_);
  EXPECT_EQ(finding.grade, Grade::kMissing);
  EXPECT_EQ(finding.fix, "echo 41 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
}

TEST_F(DoctorTest, GigabytePagesCountToo) {
  Pages("1048576kB", 1, 1);
  Pages("2048kB", 0, 0);
  EXPECT_EQ(One(CheckHugepages, "", needs_).grade, Grade::kOk);
  EXPECT_EQ(One(CheckHugepages, "1 GiB", needs_).found, "1 of 1 free");
}

TEST_F(DoctorTest, HugepagesOnTheWrongNodeAreNotEnough) {
  Pages("2048kB", 64, 64);
  NodePages(0, 64, 64);
  NodePages(1, 2, 0);
  needs_.nodes = {1};
  EXPECT_EQ(One(CheckHugepages, "", needs_).grade, Grade::kOk);
  const Finding finding = One(CheckHugepages, "node 1", needs_);
  EXPECT_EQ(finding.grade, Grade::kMissing);
  EXPECT_EQ(finding.fix,
            "echo 34 > /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages");
  needs_.nodes = {0};
  EXPECT_EQ(One(CheckHugepages, "node 0", needs_).grade, Grade::kOk);
}

TEST_F(DoctorTest, WithoutHugepagesNoneAreNeeded) {
  Pages("2048kB", 0, 0);
  needs_.hugepages = false;
  EXPECT_EQ(One(CheckHugepages, "", needs_).grade, Grade::kNote);
}

TEST_F(DoctorTest, HugetlbfsIsNeededForSharedMemoryOnly) {
  Write("proc/self/mounts", "proc /proc proc rw 0 0");
  EXPECT_EQ(One(CheckHugetlbfs, "", needs_).grade, Grade::kNote);
  needs_.private_memory = false;
  EXPECT_EQ(One(CheckHugetlbfs, "", needs_).grade, Grade::kMissing);
  Write("proc/self/mounts", "nodev /dev/hugepages hugetlbfs rw 0 0");
  EXPECT_EQ(One(CheckHugetlbfs, "", needs_).grade, Grade::kMissing);  // the folder is covered
  EXPECT_EQ(One(CheckHugetlbfs, "", needs_).found, "/dev/hugepages cannot be opened by this user");
  fs::create_directories(root_ / "dev/hugepages");
  EXPECT_EQ(One(CheckHugetlbfs, "", needs_).grade, Grade::kOk);
  EXPECT_EQ(One(CheckHugetlbfs, "", needs_).found, "mounted at /dev/hugepages");
}

TEST_F(DoctorTest, MemlockBindsWhoHasNoCapability) {
  Write("proc/self/limits", "Max locked memory         8388608              8388608    bytes");
  needs_.locked_bytes = 32 * kMiB;
  Capabilities(1ull << CAP_IPC_LOCK);
  EXPECT_EQ(One(CheckMemlock, "", needs_).grade, Grade::kOk);
  Capabilities(0);
  const Finding finding = One(CheckMemlock, "", needs_);
  EXPECT_EQ(finding.grade, Grade::kMissing);
  EXPECT_EQ(finding.found, "8192 KiB");
  EXPECT_EQ(finding.fix, "sudo prlimit --pid $$ --memlock=33554432:33554432");
  Write("proc/self/limits", "Max locked memory         unlimited            unlimited  bytes");
  EXPECT_EQ(One(CheckMemlock, "", needs_).grade, Grade::kOk);
}

TEST_F(DoctorTest, MissingCapabilitiesAreNamed) {
  needs_.capabilities = {{CAP_NET_RAW, "CAP_NET_RAW", "sockets", Finding::Path::kDpdk},
                         {CAP_BPF, "CAP_BPF", "programs", Finding::Path::kDpdk}};
  Capabilities(1ull << CAP_NET_RAW);
  const Finding finding = One(CheckCapabilities, "", needs_);
  EXPECT_EQ(finding.grade, Grade::kMissing);
  EXPECT_EQ(finding.found, "no CAP_BPF");
  EXPECT_EQ(finding.needed, "CAP_NET_RAW (sockets), CAP_BPF (programs)");
  EXPECT_EQ(finding.fix, "sudo setcap cap_net_raw,cap_bpf+ep \"$(command -v twinpath-dpdk)\"");
  needs_.program = "/opt/twinpath-dpdk";
  needs_.locked_bytes = 1;
  Write("proc/self/limits", "Max locked memory         0              0    bytes");
  EXPECT_EQ(One(CheckCapabilities, "", needs_).fix,
            "sudo setcap cap_net_raw,cap_bpf,cap_ipc_lock+ep /opt/twinpath-dpdk");
  needs_.rights = 1ull << CAP_NET_RAW | 1ull << CAP_BPF;  // the program's, not the doctor's
  EXPECT_EQ(One(CheckCapabilities, "", needs_).grade, Grade::kOk);
  needs_.rights = 0;
  Capabilities(~0ull);
  EXPECT_EQ(One(CheckCapabilities, "", needs_).found, "no CAP_NET_RAW, no CAP_BPF");
  needs_.rights.reset();
  Capabilities(1ull << CAP_NET_RAW | 1ull << CAP_SYS_ADMIN);
  EXPECT_EQ(One(CheckCapabilities, "", needs_).grade, Grade::kOk);
  needs_.capabilities.clear();
  EXPECT_EQ(One(CheckCapabilities, "", needs_).found, "none needed");
}

TEST_F(DoctorTest, ACapabilityThatAStartCanDoWithoutIsAWarning) {
  needs_.capabilities = {{CAP_BPF, "CAP_BPF", "programs", Finding::Path::kXdp},
                         {CAP_NET_RAW, "CAP_NET_RAW", "all frames", Finding::Path::kXdp, false}};
  Capabilities(1ull << CAP_BPF);
  const Finding warned = One(CheckCapabilities, "", needs_);
  EXPECT_EQ(warned.grade, Grade::kWarning);
  EXPECT_EQ(warned.found, "no CAP_NET_RAW");
  EXPECT_EQ(warned.fix, "sudo setcap cap_bpf,cap_net_raw+ep \"$(command -v twinpath-xdp)\"");
  Capabilities(0);
  EXPECT_EQ(One(CheckCapabilities, "", needs_).grade, Grade::kMissing);
  EXPECT_EQ(One(CheckCapabilities, "", needs_).found, "no CAP_BPF, no CAP_NET_RAW");
}

TEST(DoctorProgramTest, FileCapabilitiesCountAndThoseOfAnEmptyProcessDoNot) {
  const std::string raw_and_bpf("\1\0\0\2\0\x20\0\0\0\0\0\0\x80\0\0\0\0\0\0\0", 20);
  const FileRights file = ParseFileRights(raw_and_bpf);
  const uint64_t both = 1ull << CAP_NET_RAW | 1ull << CAP_BPF;
  EXPECT_EQ(file.permitted, both);
  EXPECT_TRUE(file.effective);
  ProcessRights nobody = ParseRights(
      "Uid:\t1000\t1000\t1000\t1000\nCapInh:\t0\nCapPrm:\t0\nCapEff:\t0\n"
      "CapBnd:\t000001ffffffffff\nCapAmb:\t0\nNoNewPrivs:\t0\n");
  EXPECT_EQ(RightsAfterExec(nobody, file), both);
  EXPECT_EQ(RightsAfterExec(nobody, {}), 0u);
  EXPECT_EQ(RightsAfterExec(nobody, {.root = true}), 0x1ffffffffffull);
  nobody.bounding = 1ull << CAP_BPF;
  EXPECT_EQ(RightsAfterExec(nobody, file), nobody.bounding);
  nobody.ambient = nobody.permitted = nobody.effective = 1ull << CAP_SYS_ADMIN;
  EXPECT_EQ(RightsAfterExec(nobody, {}), nobody.ambient);
  nobody.no_new_privileges = true;
  EXPECT_EQ(RightsAfterExec(nobody, file), 0u);
  EXPECT_EQ(RightsAfterExec(nobody, {.root = true}), nobody.ambient);
}

TEST_F(DoctorTest, AnOldKernelIsTold) {
  Write("proc/sys/kernel/osrelease", "5.4.0-150-generic");
  EXPECT_EQ(One(CheckKernel, "").grade, Grade::kMissing);
  Write("proc/sys/kernel/osrelease", "5.10.0-28-amd64");
  EXPECT_EQ(One(CheckKernel, "").grade, Grade::kOk);
  Write("proc/sys/kernel/osrelease", "6.1");
  EXPECT_EQ(One(CheckKernel, "").grade, Grade::kOk);
}

TEST_F(DoctorTest, LcoresShouldBeIsolatedAndMustBeAllowed) {
  Write("proc/self/status", "Cpus_allowed_list:\t0-3");
  Write("sys/devices/system/cpu/isolated", "2-3");
  needs_.lcores = {2, 3};
  EXPECT_EQ(One(CheckLcores, "", needs_).grade, Grade::kOk);
  needs_.lcores = {1, 2};
  EXPECT_EQ(One(CheckLcores, "", needs_).grade, Grade::kWarning);
  needs_.command = "twinpath-dpdk --profile p.json";
  EXPECT_EQ(One(CheckLcores, "", needs_).fix, "twinpath-dpdk --profile p.json --lcores 2-3");
  Write("sys/devices/system/cpu/isolated", "");
  EXPECT_EQ(One(CheckLcores, "", needs_).fix,
            "sudo mkdir -p /etc/default/grub.d && echo "
            "'GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT isolcpus=1-2 "
            "nohz_full=1-2\"' | sudo tee /etc/default/grub.d/twinpath-lcores.cfg && "
            "sudo update-grub && sudo reboot");
  needs_.lcores = {0, 1};
  EXPECT_TRUE(absl::StrContains(One(CheckLcores, "", needs_).fix, "isolcpus=2-3 "));
  EXPECT_TRUE(absl::StrContains(One(CheckLcores, "", needs_).needed, "with --lcores 2-3"));
  needs_.lcores = {3, 4};
  EXPECT_EQ(One(CheckLcores, "", needs_).grade, Grade::kMissing);
}

TEST_F(DoctorTest, SiblingsAndGovernorsAreTold) {
  Write("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2,6");
  Write("sys/devices/system/cpu/cpu6/topology/thread_siblings_list", "2,6");
  Write("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave");
  Write("sys/devices/system/cpu/cpu6/cpufreq/scaling_governor", "performance");
  needs_.lcores = {2, 6};
  EXPECT_EQ(One(CheckSiblings, "", needs_).found, "lcores 2,6 are one core");
  EXPECT_EQ(One(CheckSiblings, "", needs_).grade, Grade::kWarning);
  EXPECT_EQ(One(CheckSiblings, "", needs_).fix, "lscpu --extended=CPU,CORE");
  Write("proc/self/status", "Cpus_allowed_list:\t2,3,6");
  needs_.command = "twinpath-dpdk";
  EXPECT_EQ(One(CheckSiblings, "", needs_).fix, "twinpath-dpdk --lcores 2-3");
  EXPECT_EQ(One(CheckGovernor, "", needs_).fix, "cpupower -c 2 frequency-set -g performance");
  needs_.lcores = {2, 3};
  EXPECT_EQ(One(CheckSiblings, "", needs_).grade, Grade::kOk);
}

TEST(DoctorReportTest, APathStartsWithoutWhatTheOtherLacks) {
  DoctorReport report;
  report.findings = {{.grade = Grade::kMissing,
                      .path = Finding::Path::kDpdk,
                      .check = "hugepages",
                      .found = "0 MiB free",
                      .needed = "38 MiB",
                      .fix = "echo 19"},
                     {.grade = Grade::kWarning, .check = "lcores", .found = "none"}};
  report.verdicts = {{.path = "dpdk"}, {.path = "xdp"}};
  EXPECT_FALSE(report.Starts(report.verdicts[0]));
  EXPECT_TRUE(report.Starts(report.verdicts[1]));
  EXPECT_FALSE(report.Starts());
  EXPECT_EQ(DoctorText(report),
            "MISSING  hugepages  0 MiB free\n"
            "                    needed: 38 MiB\n"
            "                    fix:    echo 19\n"
            "warning  lcores     none\n"
            "\n"
            "twinpath-dpdk would not start: 1 thing is missing\n"
            "twinpath-xdp would start\n");
  const auto json = DoctorJson(report);
  EXPECT_EQ(json["starts"], false);
  EXPECT_EQ(json["paths"]["xdp"]["starts"], true);
  EXPECT_EQ(json["checks"][0]["mend"], "echo 19");
  report.findings.clear();
  report.verdicts[0].refusal = "no";
  EXPECT_FALSE(report.Starts());
}

}  // namespace
}  // namespace twinpath
