// SPDX-License-Identifier: BSD-3-Clause
// Reserves a --file-prefix for one running program. Owns the prefix's folder in DPDK's runtime
// directory and removes the folder at the end. Control thread.

#ifndef TWINPATH_DPDK_EAL_FILE_PREFIX_LOCK_H_
#define TWINPATH_DPDK_EAL_FILE_PREFIX_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace twinpath {

class FilePrefixLock {
 public:
  // FailedPrecondition: a running program uses the prefix.
  static absl::StatusOr<FilePrefixLock> Create(const std::string& file_prefix);
  ~FilePrefixLock();
  FilePrefixLock(FilePrefixLock&& other) noexcept
      : folder_(std::move(other.folder_)), lock_(std::exchange(other.lock_, -1)) {}
  FilePrefixLock& operator=(FilePrefixLock&&) = delete;

  bool held() const { return lock_ >= 0; }  // false once moved from

 private:
  FilePrefixLock(std::string folder, int lock) : folder_(std::move(folder)), lock_(lock) {}
  std::string folder_;
  int lock_;
};

}  // namespace twinpath

#endif  // TWINPATH_DPDK_EAL_FILE_PREFIX_LOCK_H_
