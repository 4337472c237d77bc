// SPDX-License-Identifier: BSD-3-Clause
// JOURNAL_STREAM: systemd.exec(5).

#include "apps/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>

namespace twinpath {
namespace {

// A child of a service inherits the variable, but may have another standard error. Therefore this
// compares the device and the inode that the variable names.
bool JournalReads(int descriptor) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat file = {};
  if (stream == nullptr || fstat(descriptor, &file) != 0) return false;
  return stream == std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
}

// "2026-03-01T14:05:09.250+0100 [12345.678901] "
std::string Stamp() {
  timespec wall = {}, monotonic = {};
  clock_gettime(CLOCK_REALTIME, &wall);
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  tm local = {};
  localtime_r(&wall.tv_sec, &local);
  std::array<char, 32> date = {}, zone = {};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &local);
  std::strftime(zone.data(), zone.size(), "%z", &local);
  std::array<char, 128> stamp = {};
  std::snprintf(stamp.data(), stamp.size(), "%s.%03ld%s [%lld.%06ld] ", date.data(),
                wall.tv_nsec / 1000000, zone.data(), static_cast<long long>(monotonic.tv_sec),
                monotonic.tv_nsec / 1000);
  return stamp.data();
}

}  // namespace

Log::Log(std::string program)
    : program_(std::move(program)), stamped_(!JournalReads(STDERR_FILENO)) {}

void Log::operator()(const std::string& text) const {
  std::cerr << (stamped_ ? Stamp() : "") + program_ + ": " + text + "\n";
}

}  // namespace twinpath
