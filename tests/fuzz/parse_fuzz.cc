// SPDX-License-Identifier: BSD-3-Clause
// libFuzzer target for tp_parse. It checks that tp_parse reads nothing past the end
// (AddressSanitizer), that bytes after a frame do not change the key of a frame that is read to the
// end, and that a cut frame has only fields of the whole frame. The first two bytes of the input
// say where to cut the frame; the rest is the frame.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "tests/unit/lib/parsed.h"

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
  Require(whole_result >= TP_PARSED && whole_result <= TP_PARSE_TOO_DEEP);
  const bool malformed = (whole.flags & TP_KEY_MALFORMED) != 0;
  Require(malformed == (whole_result == TP_PARSE_CUT || whole_result == TP_PARSE_CONTRADICTION));
  Require(whole.port == 1 && whole.length == (size < 65535 ? size : 65535));
  Require((whole.shape != 0) == ((whole.flags & TP_KEY_IP) != 0));
  Require((whole.ip_version != 0) == ((whole.flags & TP_KEY_IP) != 0));
  Require(!(whole.flags & TP_KEY_LATER) || !(whole.flags & (TP_KEY_PORTS | TP_KEY_UNREAD)));
  Require(!(whole.flags & TP_KEY_UNREAD) || (whole.proto == 0 && !(whole.flags & TP_KEY_PORTS)));
  Require(!(whole.flags & TP_KEY_UNREAD) || whole_result != TP_PARSED);
  if (whole_result == TP_PARSED) Require(whole.shape <= size);
  // If a cut frame is not malformed, only padding is missing.
  const int cut_result = Parse(data, cut, cut, &shorter);
  if (cut_result == TP_PARSED || cut_result == TP_PARSE_TOO_DEEP) {
    shorter.length = whole.length;
    Require(whole_result == cut_result && shorter == whole);
  } else {
    Require(twinpath::IsReadOf(shorter, whole));
  }
  // A frame that is read by its first segment has the same key when all segments are visible.
  if (Parse(data, cut, size, &segment) == TP_PARSED)
    Require(whole_result == TP_PARSED && segment == whole);
  else
    Require(twinpath::IsReadOf(segment, whole));
  return 0;
}
