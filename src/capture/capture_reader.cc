// SPDX-License-Identifier: BSD-3-Clause
// Reads captures with libpcap. Main thread.

#include "src/capture/capture_reader.h"

#include <pcap/pcap.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

std::string LinkTypeName(int link_type) {
  const char* name = pcap_datalink_val_to_name(link_type);
  const char* about = pcap_datalink_val_to_description(link_type);
  if (!name) return absl::StrCat(link_type);
  return about ? absl::StrCat(name, " (", about, ")") : std::string(name);
}

}  // namespace

void Capture::Close::operator()(pcap* handle) const { pcap_close(handle); }

absl::StatusOr<Capture> Capture::Open(const std::string& path) {
  // Does not use pcap_open_offline, which takes "-" as standard input.
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot open the capture ", path, ": ", std::strerror(errno)));
  }
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_t* handle =
      pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);
  if (!handle) {
    std::fclose(file);
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not a pcap or pcapng capture: ", error));
  }
  Capture capture(path, handle);
  if (const int link_type = pcap_datalink(handle); link_type != DLT_EN10MB) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": its link type is ",
                                                   LinkTypeName(link_type),
                                                   "; only Ethernet frames are supported"));
  }
  return capture;
}

absl::StatusOr<std::optional<absl::Span<const uint8_t>>> Capture::Next() {
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  const int result = pcap_next_ex(handle_.get(), &header, &bytes);
  if (result == PCAP_ERROR_BREAK) return std::optional<absl::Span<const uint8_t>>();
  if (result != 1) {
    return absl::DataLossError(
        absl::StrCat(path_, ": packet ", frames_ + 1, ": ", pcap_geterr(handle_.get())));
  }
  frames_++;
  time_ = int64_t{header->ts.tv_sec} * 1'000'000'000 + header->ts.tv_usec;
  length_ = header->len;
  if (header->caplen < header->len) cut_++;
  return std::optional(absl::Span<const uint8_t>(bytes, header->caplen));
}

}  // namespace twinpath
