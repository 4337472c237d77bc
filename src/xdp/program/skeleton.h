// SPDX-License-Identifier: BSD-3-Clause
// The skeleton and its maps in memory. Only for the files that create maps and load programs.
// Control thread.

#ifndef TWINPATH_XDP_PROGRAM_SKELETON_H_
#define TWINPATH_XDP_PROGRAM_SKELETON_H_

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bpf/layout.h"
#include "src/policy/tables.h"
#include "src/xdp/program/libbpf_log.h"
#include "twinpath.skel.h"

namespace twinpath {

struct SkeletonDeleter {
  void operator()(twinpath_bpf* skeleton) const { twinpath_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<twinpath_bpf, SkeletonDeleter>;

// An array map, mapped into memory and shared with the kernel.
template <typename Value>
class MappedArray {
 public:
  MappedArray() = default;
  MappedArray(MappedArray&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), bytes_(other.bytes_) {}
  MappedArray& operator=(MappedArray&& other) noexcept {
    std::swap(values_, other.values_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedArray() {
    if (values_) munmap(values_, bytes_);
  }

  absl::Status Map(const bpf_map* map) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    bytes_ = (sizeof(Value) * bpf_map__max_entries(map) + page - 1) / page * page;
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    if (memory == MAP_FAILED)
      return absl::InternalError(
          absl::StrCat("mmap of ", bpf_map__name(map), ": ", std::strerror(errno)));
    values_ = static_cast<Value*>(memory);
    return absl::OkStatus();
  }

  Value* get() const { return values_; }

 private:
  Value* values_ = nullptr;
  size_t bytes_ = 0;
};

// The size of an array map, which needs at least one element.
inline uint32_t Elements(size_t count) { return static_cast<uint32_t>(std::max<size_t>(count, 1)); }

// Calls `each(map)` for the maps of a policy's tables: those of src/policy/tables.h except the
// shapes, and the bindings.
template <typename Each>
void ForEachTableMap(const Skeleton& skeleton, const Each& each) {
  auto& maps = skeleton->maps;
#define TP_TABLE_MAP(name, row) each(maps.tp_##name);
  TP_SHARED_TABLES(TP_TABLE_MAP)
#undef TP_TABLE_MAP
  each(maps.tp_bindings);
}

inline bool IsTable(const Skeleton& skeleton, const bpf_map* map) {
  bool is = false;
  ForEachTableMap(skeleton, [&](const bpf_map* table) { is |= table == map; });
  return is;
}

// Lets the object load only the program `wanted`; null: no program.
inline bpf_program* SelectProgram(const Skeleton& skeleton, const char* wanted) {
  bpf_program* selected = nullptr;
  bpf_program* program;
  bpf_object__for_each_program(program, skeleton->obj) {
    const bool load = wanted && std::string_view(bpf_program__name(program)) == wanted;
    bpf_program__set_autoload(program, load);
    if (load) selected = program;
  }
  return selected;
}

inline absl::Status KernelError(const std::string& what, int error) {
  std::string log = xdp::TakeLibbpfLog();
  const std::string message = absl::StrCat(what, ": ", std::strerror(error),
                                           log.empty() ? "" : absl::StrCat(" (", log, ")"));
  if (error == ENOMEM || error == E2BIG) return absl::ResourceExhaustedError(message);
  return absl::InternalError(message);
}

// Whether each program has its own map of this kind. A program with fragments cannot share a devmap
// with a program without.
inline bool IsProgramsOwn(const Skeleton& skeleton, const bpf_map* map) {
  return map == skeleton->maps.rodata || map == skeleton->maps.tp_out_ports ||
         map == skeleton->maps.data_plan;
}

// Pins `map` in `folder`, which must be on a bpffs.
inline absl::Status PinMap(const bpf_map* map, const std::string& folder) {
  // The map of the object's data is named "twinpath.bss", and a bpffs allows no dot.
  std::string name = bpf_map__name(map);
  std::replace(name.begin(), name.end(), '.', '_');
  const std::string path = absl::StrCat(folder, "/", name);
  const int error = bpf_obj_pin(bpf_map__fd(map), path.c_str());
  return error ? KernelError(absl::StrCat("bpf_obj_pin(", path, ")"), -error) : absl::OkStatus();
}

}  // namespace twinpath

#endif  // TWINPATH_XDP_PROGRAM_SKELETON_H_
