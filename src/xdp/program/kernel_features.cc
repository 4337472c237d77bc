// SPDX-License-Identifier: BSD-3-Clause
// Probes with libbpf, and by loading the real maps and a real program.

#include "src/xdp/program/kernel_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/socket.h>

#include <cerrno>

#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/kernel/file_descriptor.h"
#include "src/kernel/link/interface.h"
#include "src/kernel/xdp_program.h"
#include "src/xdp/program/libbpf_log.h"
#include "src/xdp/program/run.h"

namespace twinpath {

std::vector<KernelFeature> ProbeBpfFeatures() {
  xdp::CaptureLibbpfLog();
  struct Map {
    const char* name;
    bpf_map_type type;
    const char* for_what;
  };
  std::vector<KernelFeature> features = {
      {"BPF_PROG_TYPE_XDP", "both paths",
       libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_XDP, nullptr) == 1}};
  for (const Map& map :
       {Map{"BPF_MAP_TYPE_ARRAY", BPF_MAP_TYPE_ARRAY, "policies and counters"},
        Map{"BPF_MAP_TYPE_DEVMAP", BPF_MAP_TYPE_DEVMAP, "sending to another port"},
        Map{"BPF_MAP_TYPE_XSKMAP", BPF_MAP_TYPE_XSKMAP, "AF_XDP"},
        Map{"BPF_MAP_TYPE_SOCKMAP", BPF_MAP_TYPE_SOCKMAP, "twinpath-splice --mode sockmap"}})
    features.push_back({map.name, map.for_what, libbpf_probe_bpf_map_type(map.type, nullptr) == 1});
  return features;
}

std::optional<bool> KernelHasAfXdp() {
  FileDescriptor socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (socket.get() >= 0) return true;
  if (errno == EPERM) return std::nullopt;
  return false;
}

absl::Status TryXdpProgram() {
  auto policy = MakePolicy("", {.forward = "pass"}, {"port"});
  if (!policy.ok()) return policy.status();
  auto compiled = CompilePolicy(*policy, {"port"});
  if (!compiled.ok()) return compiled.status();
  auto run = XdpRun::Create(*std::move(compiled), OutPorts({"port"}), {.queues = {1}});
  if (!run.ok()) return run.status();
  return (*run)->Program(0, XdpFrames::kPlain).status();
}

DriverXdp DriverXdpOf(const std::string& name) {
  DriverXdp driver;
  auto interface = FindInterface("", name);
  if (!interface.ok()) return driver;
  const std::optional<uint64_t> features = XdpFeatures(interface->index);
  if (!features.has_value()) return driver;
  driver.native = *features & kXdpBasic;
  driver.zero_copy = *features & kXdpZeroCopy;
  return driver;
}

}  // namespace twinpath
