// SPDX-License-Identifier: BSD-3-Clause
// Reads the rings that libxdp has mapped into this process. /proc/self/maps shows each mapping with
// the socket's inode and an offset; the offset identifies the ring (Linux,
// Documentation/networking/af_xdp.rst, "Rings").

#include "src/dpdk/quirks/xsk_frames.h"

#include <linux/if_xdp.h>
#include <rte_mbuf.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

struct Mapping {
  uintptr_t address = 0;  // 0: none
  size_t bytes = 0;
};

Mapping FindMapping(int fd, uint64_t offset) {
  struct stat about = {};
  if (fstat(fd, &about) != 0) return {};
  const std::string name = absl::StrCat("socket:[", about.st_ino, "]");
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uint64_t from = 0, to = 0, at = 0;
    if (!absl::EndsWith(line, name)) continue;
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &from, &to, &at) != 3)
      continue;
    if (at == offset) return {from, to - from};
  }
  return {};
}

// Returns the addresses in a ring between consumer and producer: the first word of each entry.
std::vector<uint64_t> Entries(const Mapping& mapping, const xdp_ring_offset& offset, size_t size) {
  std::vector<uint64_t> entries;
  if (mapping.address == 0 || mapping.bytes <= offset.desc) return entries;
  uint32_t places = 1;  // a power of two; the mapping is rounded up to whole pages
  while (2 * places * size <= mapping.bytes - offset.desc) places *= 2;
  const auto read = [&](uint64_t at) {
    return __atomic_load_n(reinterpret_cast<const uint32_t*>(mapping.address + at),
                           __ATOMIC_ACQUIRE);
  };
  const uint32_t producer = read(offset.producer);
  for (uint32_t i = read(offset.consumer); i != producer && entries.size() < places; i++) {
    entries.push_back(
        *reinterpret_cast<const uint64_t*>(mapping.address + offset.desc + (i % places) * size));
  }
  return entries;
}

// The umem is the mempool's memory; it starts at the page of the first chunk. In an address of the
// umem, the lowest 48 bits are the start of a mempool object, and the others are the frame's offset
// in that object.
class Umem {
 public:
  explicit Umem(const rte_mempool* pool)
      : pool_(pool),
        first_(reinterpret_cast<uintptr_t>(STAILQ_FIRST(&pool->mem_list)->addr)),
        base_(first_ & ~(static_cast<uintptr_t>(getpagesize()) - 1)),
        object_(pool->header_size + pool->elt_size + pool->trailer_size) {}

  // Returns the mbuf that a ring entry refers to; nullptr if the address is not that of an object.
  rte_mbuf* Find(uint64_t entry) const {
    const uintptr_t at = base_ + (entry & XSK_UNALIGNED_BUF_ADDR_MASK);
    if (at < first_ || (at - first_) % object_ != 0 || (at - first_) / object_ >= pool_->size)
      return nullptr;
    return reinterpret_cast<rte_mbuf*>(at + pool_->header_size);
  }

 private:
  const rte_mempool* pool_;
  uintptr_t first_, base_;
  size_t object_;
};

}  // namespace

XskFrames FramesIn(int fd, const rte_mempool* pool) {
  XskFrames frames;
  xdp_mmap_offsets offsets = {};
  socklen_t length = sizeof(offsets);
  if (pool->nb_mem_chunks != 1) return frames;
  if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) != 0) return frames;
  const Umem umem(pool);
  const auto add = [&](uint64_t page, const xdp_ring_offset& offset, size_t size) {
    uint64_t found = 0;
    for (const uint64_t entry : Entries(FindMapping(fd, page), offset, size)) {
      rte_mbuf* mbuf = umem.Find(entry);
      if (mbuf == nullptr) continue;
      frames.mbufs.push_back(mbuf);
      found++;
    }
    return found;
  };
  add(XDP_UMEM_PGOFF_FILL_RING, offsets.fr, sizeof(uint64_t));
  add(XDP_UMEM_PGOFF_COMPLETION_RING, offsets.cr, sizeof(uint64_t));
  frames.unread = add(XDP_PGOFF_RX_RING, offsets.rx, sizeof(xdp_desc));
  frames.unsent = add(XDP_PGOFF_TX_RING, offsets.tx, sizeof(xdp_desc));
  return frames;
}

}  // namespace twinpath
