// SPDX-License-Identifier: BSD-3-Clause
// A validated profile: on which ports, queues and lcores the DPDK path runs. Plain values; no
// thread.

#ifndef TWINPATH_CONFIG_PROFILE_PROFILE_H_
#define TWINPATH_CONFIG_PROFILE_PROFILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/config/compile/flow_memory.h"
#include "src/config/profile/checksums.h"
#include "src/config/profile/rss.h"

namespace twinpath {

struct PortSpec {
  std::string name;    // 1 to 32 of [A-Za-z0-9_.-], starting with a letter or digit
  std::string device;  // PCI address, kernel interface, or DPDK vdev with its arguments
  Checksums checksums = Checksums::kAuto;
};

// The exception path: how passed packets reach the kernel.
enum class ExceptionPath {
  kAuto,  // virtio_user if /dev/vhost-net exists, otherwise TAP; none for a vdev without a kernel
          // side
  kVirtioUser,
  kTap,
  kNone,
};

// What a worker does while its queues are empty.
enum class Idle {
  kBusy,      // keeps polling
  kAdaptive,  // sleeps until a packet arrives
};

struct Profile {
  std::string file;
  std::string about;
  std::vector<std::string> eal;  // EAL's arguments; those of the command line come after them
  std::vector<PortSpec> ports;
  uint32_t queues = 1;           // for each port; 1 to 64
  std::vector<uint32_t> lcores;  // empty: the first CPU that this process may run on
  uint32_t rx_descriptors = 1024, tx_descriptors = 1024;
  uint32_t mbufs = 0;  // for each NUMA node; 0: as many as descriptors, bursts and caches can hold
  uint32_t mempool_cache = 256;
  uint32_t burst = 32;  // 1 to 64
  uint32_t mtu = 1500;  // bytes
  bool promiscuous = true;
  RssSpec rss;
  uint64_t flow_memory = kDefaultFlowMemory;  // bytes of the flow table
  ExceptionPath exception = ExceptionPath::kAuto;
  bool telemetry = true;
  Idle idle = Idle::kBusy;
  bool end_with_captures = false;  // the run ends when net_pcap has read its files
};

absl::StatusOr<Profile> LoadProfile(const std::string& path);
absl::StatusOr<Profile> ParseProfile(std::string_view text, const std::string& file);

// Reads "NAME=DEVICE" of --port.
absl::StatusOr<PortSpec> ParsePortSpec(std::string_view text);

// Reads "busy" or "adaptive" of --idle.
absl::StatusOr<Idle> ParseIdle(std::string_view text);

// Reads "0-3,6" and returns the CPU numbers in order, without repetition.
absl::StatusOr<std::vector<uint32_t>> ParseCpuList(std::string_view text);

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_PROFILE_PROFILE_H_
