// SPDX-License-Identifier: BSD-3-Clause
// libFuzzer target for tp_parse. It reads nothing past the end (AddressSanitizer checks), and a
// frame that parses has the same key with any bytes after it. The first two bytes of the input say
// where to cut the frame; the rest is the frame.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "src/policy/parse.h"

namespace {

int Parse(const uint8_t* data, size_t segment, size_t frame_len, tp_key* key) {
  std::unique_ptr<uint8_t[]> exact(new uint8_t[segment]);
  std::memcpy(exact.get(), data, segment);
  return tp_parse(exact.get(), exact.get() + segment, static_cast<uint32_t>(frame_len), 1, key);
}

void Require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t cut_at = static_cast<size_t>(data[0]) << 8 | data[1];
  data += 2;
  size -= 2;
  const size_t cut = size ? cut_at % (size + 1) : 0;
  tp_key whole, shorter, segment;
  const int whole_result = Parse(data, size, size, &whole);
  Require(whole_result == TP_PARSED || whole_result == TP_PARSE_MALFORMED);
  if (whole_result == TP_PARSED) {
    Require(whole.port == 1 && whole.length == (size < 65535 ? size : 65535));
    Require(whole.shape <= size && (whole.shape != 0) == ((whole.flags & TP_KEY_IP) != 0));
    Require(!(whole.flags & TP_KEY_LATER) || !(whole.flags & TP_KEY_PORTS));
    Require((whole.ip_version != 0) == ((whole.flags & TP_KEY_IP) != 0));
  }
  // If a cut frame parses, the missing rest is only padding.
  if (Parse(data, cut, cut, &shorter) == TP_PARSED) {
    shorter.length = whole.length;
    Require(whole_result == TP_PARSED && std::memcmp(&shorter, &whole, sizeof(whole)) == 0);
  }
  // A frame that parses by its first segment has the same key when all segments are visible.
  if (Parse(data, cut, size, &segment) == TP_PARSED) {
    Require(whole_result == TP_PARSED && std::memcmp(&segment, &whole, sizeof(whole)) == 0);
  }
  return 0;
}
