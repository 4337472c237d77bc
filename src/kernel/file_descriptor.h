// SPDX-License-Identifier: BSD-3-Clause
// Owns one file descriptor. One thread at a time.

#ifndef TWINPATH_KERNEL_FILE_DESCRIPTOR_H_
#define TWINPATH_KERNEL_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace twinpath {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }

  // Negative: no descriptor.
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace twinpath

#endif  // TWINPATH_KERNEL_FILE_DESCRIPTOR_H_
