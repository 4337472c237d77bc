// SPDX-License-Identifier: BSD-3-Clause
// The doctor's checks on machines that are not here: each is a folder with what /proc and /sys
// would say.

#include <gtest/gtest.h>
#include <linux/capability.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/doctor/checks.h"
#include "src/doctor/program.h"
#include "src/doctor/report.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;
using Grade = Finding::Grade;

constexpr char kHuge[] = "sys/kernel/mm/hugepages/hugepages-";
constexpr uint64_t kMiB = 1ull << 20;

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

TEST_F(DoctorTest, EnoughHugepagesAreOk) {
  Pages("2048kB", 40, 32);
  const Finding finding = One(CheckHugepages, "", needs_);
  EXPECT_EQ(finding.grade, Grade::kOk);
  EXPECT_EQ(finding.found, "64 MiB free");
  EXPECT_EQ(finding.needed, "64 MiB");
  EXPECT_EQ(finding.mend, "");
}

TEST_F(DoctorTest, TooFewHugepagesAreToldWithTheNumberThatIsEnough) {
  Pages("2048kB", 40, 31);  // others use 9
  const Finding finding = One(CheckHugepages, "", needs_);
  EXPECT_EQ(finding.grade, Grade::kMissing);
  EXPECT_EQ(finding.mend, "echo 41 > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
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
  EXPECT_EQ(finding.mend,
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
  EXPECT_EQ(finding.mend, "sudo prlimit --pid $$ --memlock=33554432:33554432");
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
  EXPECT_EQ(finding.mend, "sudo setcap cap_net_raw,cap_bpf+ep \"$(command -v twinpath-dpdk)\"");
  needs_.program = "/opt/twinpath-dpdk";
  needs_.locked_bytes = 1;
  Write("proc/self/limits", "Max locked memory         0              0    bytes");
  EXPECT_EQ(One(CheckCapabilities, "", needs_).mend,
            "sudo setcap cap_net_raw,cap_bpf,cap_ipc_lock+ep /opt/twinpath-dpdk");
  needs_.rights = 1ull << CAP_NET_RAW | 1ull << CAP_BPF;  // of the program, whatever the doctor has
  EXPECT_EQ(One(CheckCapabilities, "", needs_).grade, Grade::kOk);
  needs_.rights = 0;
  Capabilities(~0ull);
  EXPECT_EQ(One(CheckCapabilities, "", needs_).found, "no CAP_NET_RAW, no CAP_BPF");
  needs_.rights.reset();
  Capabilities(1ull << CAP_NET_RAW | 1ull << CAP_SYS_ADMIN);
  EXPECT_EQ(One(CheckCapabilities, "", needs_).grade, Grade::kOk);
  needs_.capabilities.clear();
  EXPECT_EQ(One(CheckCapabilities, "", needs_).found, "none is needed");
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

TEST_F(DoctorTest, ANicThatTheKernelHasIsToldHowToBind) {
  Pci("0000:03:00.0", "ixgbe", "enp3s0");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  const Findings findings = Nics();
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].grade, Grade::kMissing);
  EXPECT_EQ(findings[0].found, "bound to ixgbe, node 1, the kernel's enp3s0");
  EXPECT_EQ(findings[0].mend,
            "echo vfio-pci > /sys/bus/pci/devices/0000:03:00.0/driver_override && "
            "echo 0000:03:00.0 > /sys/bus/pci/devices/0000:03:00.0/driver/unbind && "
            "echo 0000:03:00.0 > /sys/bus/pci/drivers_probe");
  Write("usr/sbin/driverctl", "");
  EXPECT_EQ(Nics()[0].mend, "driverctl set-override 0000:03:00.0 vfio-pci");
}

TEST_F(DoctorTest, ANicWithoutADriverIsNotToldToBeUnbound) {
  Pci("0000:03:00.0", "", "");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  EXPECT_EQ(Nics()[0].mend,
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
  EXPECT_FALSE(absl::StrContains(findings[0].mend, "driverctl")) << findings[0].mend;
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
  EXPECT_EQ(logins[0].how, "you are logged in by it (from 10.1.2.3)");
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
  EXPECT_EQ(One(CheckIommu, "vfio_pci", needs_).mend, "sudo modprobe vfio-pci");
  fs::create_directories(root_ / "sys/kernel/iommu_groups/14");
  fs::create_directories(root_ / "sys/module/vfio_pci");
  EXPECT_EQ(One(CheckIommu, "", needs_).found, "on, 1 groups");
  EXPECT_EQ(One(CheckIommu, "vfio_pci", needs_).grade, Grade::kOk);
}

TEST_F(DoctorTest, UnsafeNoIommuModeIsTakenAndSaid) {
  Pci("0000:03:00.0", "vfio-pci", "");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  Write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
  EXPECT_EQ(One(CheckIommu, "", needs_).found, "off; vfio does without (unsafe)");
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
  EXPECT_EQ(findings[1].mend, "kill 4711");
}

TEST_F(DoctorTest, ANicOfAnotherUsersVfioGroupIsToldHowToGetIt) {
  Pci("0000:03:00.0", "vfio-pci", "");
  fs::create_symlink("../../../../kernel/iommu_groups/14",
                     root_ / "sys/bus/pci/devices/0000:03:00.0/iommu_group");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .native = true}};
  const Findings findings = Nics();  // /dev/vfio/14 is not there at all
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[1].grade, Grade::kMissing);
  EXPECT_EQ(findings[1].found, "/dev/vfio/14 is not for this user");
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
  facts.xdp_generic = true;
  const Findings findings = Nics(facts);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[1].grade, Grade::kMissing);
  EXPECT_EQ(findings[1].found, "carries the XDP program xdp_pass, id 7, generic");
  EXPECT_EQ(findings[1].mend, "ip link set dev lan0 xdpgeneric off");
}

TEST_F(DoctorTest, QueuesAndMtuMustFit) {
  Interface("lan0", 2, 9000);
  needs_.nics = {{.port = "lan", .interface = "lan0", .queues = 4}};
  const Findings findings = Nics();
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[1].mend, "ethtool -L lan0 combined 4");
  EXPECT_EQ(findings[2].mend, "ip link set dev lan0 mtu 3168");
  EXPECT_EQ(findings[2].grade, Grade::kMissing);
  needs_.command = "twinpath-dpdk --profile p.json";
  InterfaceFacts facts;
  facts.most_queues = 2;
  EXPECT_EQ(Nics(facts)[1].mend, "twinpath-dpdk --profile p.json --queues 2");
}

TEST_F(DoctorTest, ZeroCopyIsTheKernelsWordWhereItHasOne) {
  Pci("0000:03:00.0", "ice", "enp3s0");
  needs_.nics = {{.port = "lan", .pci = "0000:03:00.0", .interface = "enp3s0"}};
  EXPECT_TRUE(absl::StrContains(Nics()[0].found, "AF_XDP zero-copy, as far as is known"));
  InterfaceFacts facts;
  facts.zero_copy = false;
  facts.native = true;
  EXPECT_EQ(Nics(facts)[0].found, "driver ice, node 1, 2 RX queues, AF_XDP by copy, XDP native");
}

TEST_F(DoctorTest, LcoresShouldBeIsolatedAndMustBeAllowed) {
  Write("proc/self/status", "Cpus_allowed_list:\t0-3");
  Write("sys/devices/system/cpu/isolated", "2-3");
  needs_.lcores = {2, 3};
  EXPECT_EQ(One(CheckLcores, "", needs_).grade, Grade::kOk);
  needs_.lcores = {1, 2};
  EXPECT_EQ(One(CheckLcores, "", needs_).grade, Grade::kWarning);
  needs_.command = "twinpath-dpdk --profile p.json";
  EXPECT_EQ(One(CheckLcores, "", needs_).mend, "twinpath-dpdk --profile p.json --lcores 2-3");
  Write("sys/devices/system/cpu/isolated", "");
  EXPECT_EQ(One(CheckLcores, "", needs_).mend,
            "sudo mkdir -p /etc/default/grub.d && echo "
            "'GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT isolcpus=1-2 "
            "nohz_full=1-2\"' | sudo tee /etc/default/grub.d/twinpath-lcores.cfg && "
            "sudo update-grub && sudo reboot");
  needs_.lcores = {0, 1};
  EXPECT_TRUE(absl::StrContains(One(CheckLcores, "", needs_).mend, "isolcpus=2-3 "));
  EXPECT_TRUE(absl::StrContains(One(CheckLcores, "", needs_).needed, "by --lcores 2-3"));
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
  EXPECT_EQ(One(CheckSiblings, "", needs_).mend, "lscpu --extended=CPU,CORE");
  Write("proc/self/status", "Cpus_allowed_list:\t2,3,6");
  needs_.command = "twinpath-dpdk";
  EXPECT_EQ(One(CheckSiblings, "", needs_).mend, "twinpath-dpdk --lcores 2-3");
  EXPECT_EQ(One(CheckGovernor, "", needs_).mend, "cpupower -c 2 frequency-set -g performance");
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
                      .mend = "echo 19"},
                     {.grade = Grade::kWarning, .check = "lcores", .found = "none"}};
  report.verdicts = {{.path = "dpdk"}, {.path = "xdp"}};
  EXPECT_FALSE(report.Starts(report.verdicts[0]));
  EXPECT_TRUE(report.Starts(report.verdicts[1]));
  EXPECT_FALSE(report.Starts());
  EXPECT_EQ(DoctorText(report),
            "MISSING  hugepages  0 MiB free\n"
            "                    needed: 38 MiB\n"
            "                    mend:   echo 19\n"
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
