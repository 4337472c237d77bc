// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/plan/capture.h"

namespace twinpath {
namespace {

// A linear congruential generator (Knuth's MMIX): only the frames' variety depends on it.
class Dice {
 public:
  uint32_t Below(uint32_t limit) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<uint32_t>((state_ >> 33) % limit);
  }

 private:
  uint64_t state_ = 1;
};

void Put16(std::string* out, uint32_t value) {
  out->push_back(static_cast<char>(value >> 8));
  out->push_back(static_cast<char>(value));
}
void Put32(std::string* out, uint32_t value) {
  Put16(out, value >> 16);
  Put16(out, value & 0xffff);
}
void PutHost32(std::string* out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

std::string Transport(uint32_t protocol, uint32_t payload, Dice* dice) {
  std::string text;
  if (protocol == 1) {
    Put32(&text, 0x08000000);
  } else {
    Put16(&text, dice->Below(2) ? 49152 + dice->Below(64) : dice->Below(65536));
    Put16(&text, dice->Below(2) ? 9 : 4990 + dice->Below(20));
  }
  if (protocol == 6) {
    Put32(&text, dice->Below(1 << 30));
    Put32(&text, 0);
    Put32(&text, 0x50000000 | dice->Below(64) << 16);
    Put32(&text, 0);
  } else {
    Put32(&text, (8 + payload) << 16);
  }
  return text + std::string(payload, '\0');
}

std::string Ipv4(uint32_t protocol, const std::string& inside, Dice* dice) {
  std::string text;
  const bool fragment = dice->Below(16) == 0;
  Put16(&text, 0x4500 | dice->Below(4));
  Put16(&text, 20 + static_cast<uint32_t>(inside.size()));
  Put32(&text, fragment ? 0x00012000 | dice->Below(3) : 0);
  Put16(&text, 64 << 8 | protocol);
  Put16(&text, 0);
  Put32(&text, dice->Below(2) ? 0xc6120001 : 0x0a000000 | dice->Below(512));
  Put32(&text, dice->Below(2) ? 0xc6130001 : 0x0a010000 | dice->Below(512));
  return text + inside;
}

std::string Ipv6(uint32_t protocol, const std::string& inside, Dice* dice) {
  std::string text;
  Put32(&text, 0x60000000);
  Put16(&text, static_cast<uint32_t>(inside.size()));
  Put16(&text, protocol << 8 | 64);
  for (uint32_t side = 0; side < 2; side++) {
    Put32(&text, 0x20010db8);
    Put32(&text, side);
    Put32(&text, 0);
    Put32(&text, dice->Below(16));
  }
  return text + inside;
}

std::string Frame(Dice* dice) {
  std::string frame("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
  if (dice->Below(8) == 0) {
    Put16(&frame, 0x8100);
    Put16(&frame, 1 + dice->Below(10));
  }
  const uint32_t kind = dice->Below(10);
  const uint32_t protocol = kind < 6 ? 17 : kind < 9 ? 6 : 1;
  const std::string inside = Transport(protocol, 18 + dice->Below(200), dice);
  const uint32_t layer3 = dice->Below(16);
  if (layer3 == 0) {
    Put16(&frame, 0x0806);
    frame.append(46, '\1');
  } else if (layer3 < 4) {
    Put16(&frame, 0x86dd);
    frame += Ipv6(protocol == 1 ? 58 : protocol, inside, dice);
  } else {
    Put16(&frame, 0x0800);
    frame += Ipv4(protocol, inside, dice);
  }
  if (dice->Below(32) == 0)
    frame.resize(14 + dice->Below(static_cast<uint32_t>(frame.size()) - 14));
  return frame;
}

}  // namespace

std::string SamenessCapture(uint32_t frames) {
  std::string file;
  // Magic of microseconds, version 2.4, zone and accuracy 0, the longest frame, Ethernet.
  for (uint32_t word : {0xa1b2c3d4U, 0x00040002U, 0U, 0U, 65535U, 1U}) PutHost32(&file, word);
  Dice dice;
  for (uint32_t i = 0; i < frames; i++) {
    const std::string frame = Frame(&dice);
    const auto size = static_cast<uint32_t>(frame.size());
    for (uint32_t word : {i / 1'000'000, i % 1'000'000, size, size}) PutHost32(&file, word);
    file += frame;
  }
  return file;
}

}  // namespace twinpath
