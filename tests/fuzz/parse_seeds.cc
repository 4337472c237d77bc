// SPDX-License-Identifier: BSD-3-Clause
// Writes the first inputs of parse_fuzz: parse_seeds DIRECTORY. One frame of each kind of header;
// the fuzzer combines them.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/unit/lib/frame_builder.h"

int main(int argc, char** argv) {
  using F = twinpath::FrameBuilder;
  if (argc != 2) {
    std::fprintf(stderr, "usage: parse_seeds DIRECTORY\n");
    return 2;
  }
  const std::vector<F> seeds = {
      F().Payload(20),
      F().Vlan(1, 0x88a8).Vlan(2).Ipv4().Options(8).Tcp().Options(12).Payload(5),
      F().Ipv4().Udp().Payload(9).Padding(9),
      F().Ipv4().Icmp(),
      F().Ipv4().Fragment(0, true).Udp().Payload(16),
      F().Ipv4(17).Fragment(3, false).Payload(16),
      F().Ipv6().HopByHop().DestinationOptions(1).Routing(2).Fragment(0, true).Udp().Payload(16),
      F().Ipv6().Fragment(3, false).Payload(16),
      F().Ipv6().Authentication().Extension(135).Extension(139).Extension(140).Tcp(),
      F().Ipv6().Jumbo(70000).Udp(),
      F().Ipv6().Icmpv6(),
  };
  std::filesystem::create_directories(argv[1]);
  for (size_t i = 0; i < seeds.size(); i++) {
    std::ofstream out(std::string(argv[1]) + "/seed" + std::to_string(i), std::ios::binary);
    const std::vector<uint8_t> frame = seeds[i].Build();
    out.write("\xff\xff", 2);  // cut somewhere
    out.write(reinterpret_cast<const char*>(frame.data()),
              static_cast<std::streamsize>(frame.size()));
    if (!out.flush()) return 1;
  }
}
