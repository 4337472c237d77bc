// SPDX-License-Identifier: BSD-3-Clause
// Sends numbered UDP frames out of an interface, millions a second from one CPU:
//
//   xdp_generator IFACE COUNT [--flows N] [--length BYTES]
//
// Ends after COUNT frames, or at a signal. Does not repeat a frame that the interface refuses, as a
// veth does when its ring is full. The frames have the numbers 0 to COUNT - 1 in order, and go from
// 10.0.0.1 to 10.0.0.2. They are sent by the CPU on which the program starts (see taskset).

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "xdp_generator.skel.h"

namespace twinpath {
namespace {

constexpr uint64_t kShare =
    1 << 20;  // frames in a system call; a signal ends the program between two calls

struct SkeletonDeleter {
  void operator()(xdp_generator* skeleton) const { xdp_generator__destroy(skeleton); }
};

std::vector<uint8_t> Frame(uint16_t length) {
  std::vector<uint8_t> frame = {2,    0, 0,    0,    0, 2, 2, 0, 0,  0,  0, 1, 8,  0,  // Ethernet
                                0x45, 0, 0,    0,    0, 0, 0, 0, 64, 17, 0, 0, 10, 0,
                                0,    1, 10,   0,    0, 2,         // IPv4
                                0,    0, 0x13, 0x88, 0, 0, 0, 0};  // UDP, without a checksum
  const auto put = [&frame](size_t at, uint32_t value) {
    frame[at] = static_cast<uint8_t>(value >> 8);
    frame[at + 1] = static_cast<uint8_t>(value);
  };
  put(16, length - 14U);
  put(38, length - 34U);
  uint32_t sum = 0;
  for (size_t at = 14; at < 34; at += 2) sum += frame[at] * 256U + frame[at + 1];
  put(24, ~(sum % 0xffff));
  frame.resize(length);
  return frame;
}

int Fail(const std::string& what, int error) {
  std::fprintf(stderr, "xdp_generator: %s: %s\n", what.c_str(), std::strerror(error));
  return 1;
}

int Main(int argc, char** argv) {
  std::string interface;
  uint64_t count = 0;
  uint32_t flows = 16;
  uint16_t length = 64;
  CLI::App app("Sends numbered UDP frames out of an interface.");
  app.add_option("IFACE", interface)->required();
  app.add_option("COUNT", count)->required();
  app.add_option("--flows", flows, "Source ports")->check(CLI::Range(1, 60000));
  app.add_option("--length", length, "Bytes a frame")->check(CLI::Range(64, 1514));
  CLI11_PARSE(app, argc, argv);
  const uint32_t index = if_nametoindex(interface.c_str());
  if (index == 0) return Fail(interface, errno);
  cpu_set_t cpu;
  CPU_ZERO(&cpu);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &cpu);
  sched_setaffinity(0, sizeof(cpu), &cpu);

  std::unique_ptr<xdp_generator, SkeletonDeleter> skeleton(xdp_generator__open());
  if (!skeleton) return Fail("opening the program", errno);
  skeleton->rodata->out_interface = index;
  skeleton->rodata->flows = flows;
  int error = xdp_generator__load(skeleton.get());
  if (error) return Fail("loading the program", -error);
  const std::vector<uint8_t> frame = Frame(length);
  for (uint64_t left = count; left > 0;) {
    const uint64_t share = std::min(left, kShare);
    bpf_test_run_opts options = {};
    options.sz = sizeof(options);
    options.data_in = frame.data();
    options.data_size_in = length;
    options.repeat = static_cast<int>(share);
    options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    error = bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.generate), &options);
    if (error) return Fail("BPF_PROG_TEST_RUN", -error);
    left -= share;
  }
  return 0;
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) { return twinpath::Main(argc, argv); }
