// SPDX-License-Identifier: BSD-3-Clause
// Loads the BPF skeleton, and accesses its maps.

#include "src/splice/forward/sockmap.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "splice.skel.h"
#include "src/kernel/machine.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

namespace twinpath::splice {
namespace {

constexpr uint32_t kEventBytes = 16;  // of a record in the ring, with its header

struct SkeletonDeleter {
  void operator()(splice_bpf* skeleton) const { splice_bpf__destroy(skeleton); }
};
struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

// The kernel requires a ring's size to be a power of two and a multiple of the page size.
uint32_t RingBytes(uint64_t needed) {
  uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  while (bytes < needed) bytes *= 2;
  return static_cast<uint32_t>(bytes);
}

int IgnoreLibbpfLog(libbpf_print_level, const char*, va_list) { return 0; }

class LoadedSockmap : public Sockmap {
 public:
  ~LoadedSockmap() override {
    ring_.reset();
    if (flows_) munmap(flows_, flows_bytes_);
  }

  absl::Status Load(uint32_t connections) {
    if (absl::Status status = CheckCapabilities(); !status.ok()) return status;
    libbpf_set_print(IgnoreLibbpfLog);  // errors are returned, not printed
    skeleton_.reset(splice_bpf__open());
    if (!skeleton_) return Failure("cannot open the BPF program", errno);
    const uint32_t slots = 2 * connections;
    auto& maps = skeleton_->maps;
    bpf_map__set_max_entries(maps.tp_sockets, slots);
    bpf_map__set_max_entries(maps.tp_slots, slots);
    bpf_map__set_max_entries(maps.tp_flows, slots);
    bpf_map__set_max_entries(maps.tp_events, RingBytes(uint64_t{slots} * 4 * kEventBytes));
    if (const int error = splice_bpf__load(skeleton_.get()))
      return Failure("cannot load the BPF program", -error);
    const int program = bpf_program__fd(skeleton_->progs.tp_splice_verdict);
    if (bpf_prog_attach(program, bpf_map__fd(maps.tp_sockets), BPF_SK_SKB_STREAM_VERDICT, 0))
      return Failure("cannot attach the BPF program to the sockmap", errno);
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    flows_bytes_ = (slots * sizeof(tp_splice_flow) + page - 1) / page * page;
    void* memory = mmap(nullptr, flows_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED,
                        bpf_map__fd(maps.tp_flows), 0);
    if (memory == MAP_FAILED) return Failure("cannot map the flows into memory", errno);
    flows_ = static_cast<tp_splice_flow*>(memory);
    ring_.reset(ring_buffer__new(bpf_map__fd(maps.tp_events), OnEvent, this, nullptr));
    if (!ring_) return Failure("cannot map the events into memory", errno);
    cookies_.resize(slots, 0);
    for (uint32_t pair = connections; pair-- > 0;) free_.push_back(static_cast<int>(2 * pair));
    return absl::OkStatus();
  }

  int TakePair() override {
    if (free_.empty()) return -1;
    const int even_slot = free_.back();
    free_.pop_back();
    for (const int slot : {even_slot, even_slot + 1}) {
      flows_[slot] = {};
      flows_[slot].charge_notify = UINT64_MAX;
    }
    return even_slot;
  }

  void ReturnPair(int even_slot) override {
    for (const int slot : {even_slot, even_slot + 1}) {
      uint64_t& cookie = cookies_[static_cast<size_t>(slot)];
      if (cookie != 0) bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.tp_slots), &cookie);
      cookie = 0;
    }
    free_.push_back(even_slot);
  }

  int Insert(int slot, int fd) override {
    uint64_t& cookie = cookies_[static_cast<size_t>(slot)];
    socklen_t size = sizeof(cookie);
    if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size)) return errno;
    const auto key = static_cast<uint32_t>(slot);
    // Adds the slot first, because the program looks it up as soon as the socket is in the map.
    if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.tp_slots), &cookie, &key, BPF_ANY))
      return errno;
    const uint64_t value = static_cast<uint64_t>(fd);
    if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.tp_sockets), &key, &value, BPF_ANY))
      return errno;
    return 0;
  }

  tp_splice_flow& flow(int slot) override { return flows_[slot]; }
  int events_fd() const override { return bpf_map__fd(skeleton_->maps.tp_events); }

  void TakeEvents(const std::function<void(int)>& handle) override {
    events_.clear();
    ring_buffer__consume(ring_.get());
    for (const int slot : events_) handle(slot);
  }

 private:
  static int OnEvent(void* self, void* data, size_t size) {
    uint32_t slot = 0;
    if (size < sizeof(slot)) return 0;
    std::memcpy(&slot, data, sizeof(slot));
    static_cast<LoadedSockmap*>(self)->events_.push_back(static_cast<int>(slot));
    return 0;
  }

  static absl::Status CheckCapabilities() {
    const std::string missing = MissingCapabilities();
    if (missing.empty()) return absl::OkStatus();
    return absl::PermissionDeniedError(
        absl::StrCat("mode sockmap needs ", missing, ": run it as root, or choose another --mode"));
  }

  static absl::Status Failure(const char* what, int error) {
    return absl::UnavailableError(
        absl::StrCat("mode sockmap: ", what, ": ", std::strerror(error),
                     "; mode sockmap needs Linux 5.16 or later with CONFIG_BPF_STREAM_PARSER; "
                     "--mode splice does not"));
  }

  std::unique_ptr<splice_bpf, SkeletonDeleter> skeleton_;
  std::unique_ptr<ring_buffer, RingDeleter> ring_;
  tp_splice_flow* flows_ = nullptr;
  size_t flows_bytes_ = 0;
  std::vector<uint64_t> cookies_;  // [slot]; 0: none
  std::vector<int> free_;          // even slots of free pairs
  std::vector<int> events_;        // slots, while TakeEvents runs
};

}  // namespace

absl::StatusOr<std::unique_ptr<Sockmap>> Sockmap::Load(uint32_t connections) {
  auto sockmap = std::make_unique<LoadedSockmap>();
  absl::Status status = sockmap->Load(connections);
  if (!status.ok()) return status;
  return sockmap;
}

std::string MissingCapabilities() {
  const uint64_t effective = EffectiveCapabilities();
  const auto has = [&](int capability) { return (effective >> capability & 1) != 0; };
  std::vector<std::string> missing;
  if (!has(CAP_BPF) && !has(CAP_SYS_ADMIN)) missing.push_back("CAP_BPF");
  if (!has(CAP_NET_ADMIN)) missing.push_back("CAP_NET_ADMIN");
  return absl::StrJoin(missing, " and ");
}

}  // namespace twinpath::splice
