// SPDX-License-Identifier: BSD-3-Clause
// Writes the generated frames of the parity tests to a capture, for tests that send them by real
// interfaces.
//
//   write_shapes FILE

#include <pcap/pcap.h>

#include <cstdio>

#include "tests/parity/shapes.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  pcap_t* kind = pcap_open_dead(DLT_EN10MB, 65535);
  pcap_dumper_t* file = kind != nullptr ? pcap_dump_open(kind, argv[1]) : nullptr;
  if (file == nullptr) {
    std::fprintf(stderr, "write_shapes: cannot write %s\n", argv[1]);
    return 1;
  }
  for (const twinpath::Shape& shape : twinpath::AllShapes()) {
    const auto length = static_cast<bpf_u_int32>(shape.frame.size());
    const pcap_pkthdr header = {.ts = {}, .caplen = length, .len = length};
    pcap_dump(reinterpret_cast<u_char*>(file), &header, shape.frame.data());
  }
  const bool written = pcap_dump_flush(file) == 0;
  pcap_dump_close(file);
  pcap_close(kind);
  return written ? 0 : 1;
}
