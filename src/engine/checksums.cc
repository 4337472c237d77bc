// SPDX-License-Identifier: BSD-3-Clause
// Sums words of 32 bits: RFC 1071, section 2.

#include "src/engine/checksums.h"

#include "src/policy/egress/checksum.h"

namespace twinpath {
namespace {

uint64_t SumOf(const uint8_t* data, uint32_t length) {
  uint64_t sum = 0;
  for (; length >= 4; data += 4, length -= 4) sum += tp_load32(data);
  if (length >= 2) sum += tp_load16(data);
  if ((length & 1) != 0) sum += data[length & 2];
  return sum;
}

}  // namespace

Completion CompleteChecksum(uint8_t* data, uint32_t length) {
  const uint8_t* end = data + length;
  tp_key key;
  tp_unfinished found;
  if (tp_parse(data, end, length, 0, &key) != TP_PARSED ||
      !tp_find_unfinished(data, end, &key, &found) || found.at > length ||
      found.length > length - found.at)
    return Completion::kNone;
  const uint16_t before = tp_load16(data + found.field);
  const uint16_t checksum = tp_finished_checksum(key.proto, SumOf(data + found.at, found.length));
  tp_store16(data + found.field, checksum);
  return checksum == before ? Completion::kSame : Completion::kChanged;
}

}  // namespace twinpath
