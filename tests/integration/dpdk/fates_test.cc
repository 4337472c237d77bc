// SPDX-License-Identifier: BSD-3-Clause
// The losses of the real twinpath-dpdk, packet by packet: captures feed a million frames into each
// of four queues. Every rate is within binomial bounds, gaps are geometric, and lags and queues are
// uncorrelated. Every queue loses the packets that the unit tests of the decision list. The
// other frames come out unchanged, in order, on their own queue. The bounds are those of
// tests/unit/policy/loss_test.cc.
//
//   dpdk_fates_test TWINPATH-DPDK

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "src/config/policy/policy.h"
#include "tests/unit/lib/fates.h"
#include "tests/unit/lib/stream.h"

extern char** environ;

namespace twinpath {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kQueues = 4;
constexpr size_t kBlocks = 15625;  // of 64 packets: a million a queue
constexpr uint32_t kPackets = 64 * kBlocks;
constexpr double kLeastP = 1e-6;

std::string program;  // NOLINT: the command line's, set by main

// One record of a capture: its header, and a UDP frame with its queue and its number.
struct Record {
  uint32_t seconds = 0, microseconds = 0, captured, length;
  uint8_t frame[60] = {2,  0, 0,  0,  0,    2, 2,    0,    0,  0,  0, 1,  8,  0,
                       69, 0, 0,  46, 0x12, 0, 0x40, 0,    64, 17, 0, 0,  10, 0,
                       0,  1, 10, 0,  0,    2, 0x13, 0x88, 0,  53, 0, 26, 0,  0};
  Record() : captured(sizeof(frame)), length(sizeof(frame)) {}
  void Number(uint32_t queue, uint32_t number) {
    std::memcpy(frame + 42, &queue, 4);
    std::memcpy(frame + 46, &number, 4);
    for (uint32_t i = 50; i < 60; i++) frame[i] = static_cast<uint8_t>(number * 37 + i);
  }
};
static_assert(sizeof(Record) == 76, "pcap's records have no padding");

constexpr std::array<uint32_t, 6> kFileHeader = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1};

class DpdkFates : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = fs::path(::testing::TempDir()) / absl::StrCat("dpdk_fates_", getpid());
    fs::create_directories(folder_);
    for (uint32_t queue = 0; queue < kQueues; queue++) WriteCapture(queue);
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  static fs::path In(uint32_t queue) { return folder_ / absl::StrCat("in", queue, ".pcap"); }
  static fs::path Out(uint32_t queue) { return folder_ / absl::StrCat("out", queue, ".pcap"); }

  static void WriteCapture(uint32_t queue) {
    std::vector<Record> records(kPackets);
    for (uint32_t number = 0; number < kPackets; number++) records[number].Number(queue, number);
    std::ofstream file(In(queue), std::ios::binary);
    file.write(reinterpret_cast<const char*>(kFileHeader.data()), sizeof(kFileHeader));
    file.write(reinterpret_cast<const char*>(records.data()),
               static_cast<std::streamsize>(records.size() * sizeof(Record)));
    ASSERT_TRUE(file.flush()) << In(queue);
  }

  // The fates of every queue in one run of the program with `arguments`.
  static std::vector<Fates> Run(std::vector<std::string> arguments) {
    std::string in = "in=net_pcap0", out = "out=net_pcap1";
    for (uint32_t queue = 0; queue < kQueues; queue++) {
      absl::StrAppend(&in, ",rx_pcap=", In(queue).string());
      absl::StrAppend(&out, ",tx_pcap=", Out(queue).string());
    }
    for (uint32_t queue = 0; queue < kQueues; queue++)
      absl::StrAppend(&in, ",tx_pcap=", (folder_ / absl::StrCat("unused", queue)).string());
    const std::string summary = folder_ / "summary.json";
    arguments.insert(arguments.begin(), {program, "--port", in, "--port", out, "--queues",
                                         absl::StrCat(kQueues), "--lcores", Lcores(), "--packets",
                                         absl::StrCat(kQueues * kPackets), "--summary", summary});
    arguments.insert(arguments.end(), {"--", "--no-huge", "-m", "256", "--no-pci", "--file-prefix",
                                       absl::StrCat("fates-", getpid())});
    EXPECT_EQ(ExitStatus(arguments), 0) << std::ifstream(folder_ / "log").rdbuf();
    std::vector<Fates> fates;
    for (uint32_t queue = 0; queue < kQueues; queue++) fates.push_back(ReadFates(queue));
    ExpectSummary(summary, fates);
    return fates;
  }

  // A second lcore if there is a second CPU.
  static std::string Lcores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    std::string lcores;
    for (int cpu = 0, chosen = 0; cpu < CPU_SETSIZE && chosen < 2; cpu++) {
      if (!CPU_ISSET(cpu, &set)) continue;
      absl::StrAppend(&lcores, chosen++ ? "," : "", cpu);
    }
    return lcores;
  }

  // Runs a program. Its output is in the log.
  static int ExitStatus(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string log = folder_ / "log";
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t pid = 0;
    int status = -1;
    if (posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) == 0)
      waitpid(pid, &status, 0);
    posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // The frames of `queue` that did not come out. The others must be unchanged and in order.
  static Fates ReadFates(uint32_t queue) {
    Fates fates(kBlocks, ~uint64_t{0});
    std::ifstream file(Out(queue), std::ios::binary);
    file.seekg(sizeof(kFileHeader));
    std::vector<Record> records((fs::file_size(Out(queue)) - sizeof(kFileHeader)) / sizeof(Record));
    file.read(reinterpret_cast<char*>(records.data()),
              static_cast<std::streamsize>(records.size() * sizeof(Record)));
    EXPECT_TRUE(file) << Out(queue);
    Record expected;
    uint64_t next = 0;
    for (const Record& record : records) {
      uint32_t number = 0;
      std::memcpy(&number, record.frame + 46, 4);
      expected.Number(queue, number);
      const bool as_it_was = record.length == expected.length &&
                             record.captured == expected.captured &&
                             std::memcmp(record.frame, expected.frame, sizeof(record.frame)) == 0;
      if (!as_it_was || number < next || number >= kPackets) {
        ADD_FAILURE() << "queue " << queue << ": frame " << number << " after frame " << next
                      << (as_it_was ? "" : " is not what it was");
        return fates;
      }
      fates[number / 64] &= ~(uint64_t{1} << number % 64);
      next = number + 1;
    }
    return fates;
  }

  static void ExpectSummary(const std::string& summary, const std::vector<Fates>& fates) {
    const auto json = nlohmann::json::parse(std::ifstream(summary), nullptr, false);
    ASSERT_TRUE(json.is_object());
    for (const auto& queue : json["queues"]) {
      if (queue["port"] != "in") continue;
      const uint64_t lost = Lost(fates[queue["queue"]]);
      EXPECT_EQ(queue["rx_packets"], kPackets) << queue;
      EXPECT_EQ(queue["lost_packets"], lost) << queue;
      EXPECT_EQ(queue["tx_packets"], kPackets - lost) << queue;
    }
  }

  // The expected fates of every queue: those of the decision under this rule.
  static Fates Expected(uint64_t seed, const std::string& rule, const std::string& rate,
                        uint32_t queue) {
    const auto p = ParseProbability(rate);
    EXPECT_TRUE(p.ok()) << p.status();
    const tp_loss_kind kind = p->never ? TP_LOSS_NONE : p->always ? TP_LOSS_ALL : TP_LOSS_STREAM;
    return Stream({.seed = seed, .rule = rule, .port = "in", .queue = queue}, p->threshold, kind)
        .Fates(kBlocks);
  }

  static void Judge(const std::vector<Fates>& fates, double p, const std::string& what) {
    for (size_t x = 0; x < fates.size(); x++) {
      const double lost = static_cast<double>(Lost(fates[x]));
      EXPECT_LE(std::abs(lost - kPackets * p), 3.9 * std::sqrt(kPackets * p * (1 - p)))
          << what << ", queue " << x << ": lost " << lost;
      if (p == 0 || p == 1) continue;  // exact: the bound is 0
      EXPECT_GT(GapP(fates[x], p), kLeastP) << what << ", queue " << x;
      for (size_t lag = 1; lag <= 64; lag++) {
        EXPECT_GT(CoincidenceP(fates[x], fates[x], lag, p), kLeastP)
            << what << ", queue " << x << ", lag " << lag;
      }
      for (size_t y = 0; y < fates.size(); y++) {
        for (size_t lag : {0, 1, 2, 31, 32, 63, 64}) {
          if (x == y || (lag == 0 && x > y)) continue;
          EXPECT_GT(CoincidenceP(fates[x], fates[y], lag, p), kLeastP)
              << what << ", queues " << x << " and " << y << ", lag " << lag;
        }
      }
    }
  }

  static fs::path folder_;
};

fs::path DpdkFates::folder_;

constexpr const char* kRates[] = {"0", "1e-4", "1%", "10%", "50%", "90%", "1"};

TEST_F(DpdkFates, WithoutLookingAtHeaders) {
  for (const std::string rate : kRates) {
    const std::vector<Fates> fates = Run({"--loss", rate, "--forward", "out", "--seed", "7"});
    Judge(fates, ParseProbability(rate)->value, rate);
    for (uint32_t queue = 0; queue < kQueues; queue++)
      EXPECT_EQ(fates[queue], Expected(7, "default", rate, queue)) << rate << ", queue " << queue;
  }
}

TEST_F(DpdkFates, ByARuleThatLooksAtHeaders) {
  for (const std::string rate : {"1%", "50%"}) {
    const std::string policy = folder_ / "policy.json";
    std::ofstream(policy) << R"({"version": 1, "seed": 9, "rules": [{"name": "dns",
        "match": {"proto": "udp", "dst_port": 53}, "forward": {"port": "out"},
        "loss": {"model": "random", "rate": ")"
                          << rate << R"("}}], "default": {"forward": "drop"}})";
    const std::vector<Fates> fates = Run({"--policy", policy});
    Judge(fates, ParseProbability(rate)->value, rate);
    for (uint32_t queue = 0; queue < kQueues; queue++)
      EXPECT_EQ(fates[queue], Expected(9, "dns", rate, queue)) << rate << ", queue " << queue;
  }
}

TEST_F(DpdkFates, TheSameSeedIsTheSameSequenceAndAnotherAnother) {
  auto run = [](const char* seed) {
    return Run({"--loss", "10%", "--forward", "out", "--seed", seed});
  };
  const std::vector<Fates> first = run("1"), again = run("1"), other = run("2");
  EXPECT_EQ(first, again);
  for (uint32_t queue = 0; queue < kQueues; queue++) {
    EXPECT_NE(first[queue], other[queue]);
    EXPECT_GT(CoincidenceP(first[queue], other[queue], 0, 0.1), kLeastP) << "queue " << queue;
  }
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) return 2;
  twinpath::program = argv[1];
  return RUN_ALL_TESTS();
}
