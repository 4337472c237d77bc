// SPDX-License-Identifier: BSD-3-Clause
// Writes seeds for the fuzz targets that take frames: frame_seeds DIRECTORY FORMAT. There is one
// frame for each kind of header, which the fuzzer combines. FORMAT is "frames" for parse_fuzz, or
// "bursts" for burst_fuzz: all frames in one burst, for each of its policies.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/lib/frame_builder.h"

namespace {

constexpr int kPoliciesAndPorts = 16;  // of burst_fuzz

void Write(const std::string& path, const std::vector<uint8_t>& input) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(input.data()),
            static_cast<std::streamsize>(input.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace

int main(int argc, char** argv) {
  using F = twinpath::FrameBuilder;
  const std::string format = argc == 3 ? argv[2] : "";
  if (format != "frames" && format != "bursts") {
    std::fprintf(stderr, "usage: frame_seeds DIRECTORY frames|bursts\n");
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
      F().Ipv4().Patch(0, {0x4f}).Udp(),
      F().Ipv4(6).Fragment(0, true).Payload(4),
      F().Ipv6().Patch(4, {1, 0}).DestinationOptions(1).Tcp(),
      F().Ipv6().DestinationOptions(120).Routing(3).Udp(),
  };
  std::filesystem::create_directories(argv[1]);
  std::vector<uint8_t> burst = {0};
  for (size_t i = 0; i < seeds.size(); i++) {
    const std::vector<uint8_t> frame = seeds[i].Build();
    std::vector<uint8_t> input(2 + frame.size(), 0xff);  // cut somewhere
    std::copy(frame.begin(), frame.end(), input.begin() + 2);
    if (format == "frames") Write(std::string(argv[1]) + "/seed" + std::to_string(i), input);
    burst.push_back(static_cast<uint8_t>(frame.size() >> 8 & 3));
    burst.push_back(static_cast<uint8_t>(frame.size()));
    burst.insert(burst.end(), frame.begin(), frame.end());
  }
  for (int first = 0; format == "bursts" && first < kPoliciesAndPorts; first++) {
    burst[0] = static_cast<uint8_t>(first);
    Write(std::string(argv[1]) + "/seed" + std::to_string(first), burst);
  }
}
