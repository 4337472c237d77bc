// SPDX-License-Identifier: BSD-3-Clause
// A profile as a person wrote it, validated: where a policy runs on the DPDK path. Plain values; no
// thread.

#ifndef TWINPATH_CONFIG_PROFILE_PROFILE_H_
#define TWINPATH_CONFIG_PROFILE_PROFILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/compile/flow_memory.h"
#include "src/config/profile/rss.h"

namespace twinpath {

struct PortSpec {
  std::string name;    // 1 to 32 of [A-Za-z0-9_.-], starting with a letter or digit
  std::string device;  // PCI address, kernel interface, or DPDK vdev with its arguments
};

// The way to the kernel for what is passed.
enum class ExceptionPath {
  kAuto,  // virtio_user where /dev/vhost-net is there, else TAP; none behind a vdev that has no
          // kernel
  kVirtioUser,
  kTap,
  kNone,
};

// What a worker does while none of its queues has a packet.
enum class Idle {
  kBusy,      // polls on
  kAdaptive,  // sleeps until one has
};

struct Profile {
  std::string file;
  std::string about;
  std::vector<std::string> eal;  // arguments, before those of the command line
  std::vector<PortSpec> ports;
  uint32_t queues = 1;           // a port; 1 to 64
  std::vector<uint32_t> lcores;  // empty: the first CPU this process may run on
  uint32_t rx_descriptors = 1024, tx_descriptors = 1024;
  uint32_t mbufs = 0;  // a NUMA node; 0: as many as descriptors, bursts and caches can hold
  uint32_t mempool_cache = 256;
  uint32_t burst = 32;  // 1 to 64
  uint32_t mtu = 1500;  // octets
  bool promiscuous = true;
  RssSpec rss;
  uint64_t flow_memory = kDefaultFlowMemory;  // octets of the table of flows
  ExceptionPath exception = ExceptionPath::kAuto;
  bool telemetry = true;
  Idle idle = Idle::kBusy;
};

absl::StatusOr<Profile> LoadProfile(const std::string& path);
absl::StatusOr<Profile> ParseProfile(std::string_view text, const std::string& file);

// "NAME=DEVICE" of --port. The name's rules are PortSpec's.
absl::StatusOr<PortSpec> ParsePortSpec(std::string_view text);

// "busy" or "adaptive", of --idle.
absl::StatusOr<Idle> ParseIdle(std::string_view text);

// "0-3,6": CPU numbers in order, without repetition.
absl::StatusOr<std::vector<uint32_t>> ParseCpuList(std::string_view text);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_PROFILE_PROFILE_H_
