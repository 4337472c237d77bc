// SPDX-License-Identifier: BSD-3-Clause
// Reads the "rss" of a profile. Control thread, at set-up.

#include "src/config/profile/rss.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

using Kind = JsonValue::Kind;

constexpr char kFieldsAllowed[] = "an array of \"ip\", \"tcp\", \"udp\" and \"sctp\", each once";
constexpr char kKeyAllowed[] = "\"driver\", \"symmetric\", or 40 or 52 bytes as hexadecimal digits";

absl::StatusOr<uint32_t> ReadFields(const JsonCursor& c) {
  if (!c.Is(Kind::kArray) || c.size() == 0) return c.Wrong(kFieldsAllowed);
  uint32_t fields = 0;
  for (size_t i = 0; i < c.size(); i++) {
    const JsonCursor item = c.Item(i);
    const std::string& word = item.Is(Kind::kString) ? item.value().text : "";
    const auto known = std::find_if(std::begin(kRssFields), std::end(kRssFields),
                                    [&](const RssFieldName& f) { return word == f.name; });
    if (known == std::end(kRssFields)) return item.Wrong("\"ip\", \"tcp\", \"udp\" or \"sctp\"");
    if (fields & known->field) return item.Error(absl::StrCat(Quote(word), " twice"), "each once");
    fields |= known->field;
  }
  return fields;
}

absl::Status ReadKey(const JsonCursor& c, RssSpec* spec) {
  const std::string& text = c.Is(Kind::kString) ? c.value().text : "";
  spec->symmetric = text == "symmetric";
  if (spec->symmetric || text == "driver") return absl::OkStatus();
  const bool hex = text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (!hex || (text.size() != 80 && text.size() != 104)) return c.Wrong(kKeyAllowed);
  for (size_t i = 0; i < text.size(); i += 2) {
    uint8_t byte = 0;
    std::from_chars(&text[i], &text[i] + 2, byte, 16);
    spec->key.push_back(byte);
  }
  return absl::OkStatus();
}

}  // namespace

std::string RssFieldWords(uint32_t fields) {
  std::string words;
  for (const RssFieldName& field : kRssFields)
    if (fields & field.field) absl::StrAppend(&words, words.empty() ? "" : "+", field.name);
  return words.empty() ? "none" : words;
}

std::vector<uint8_t> SymmetricRssKey(size_t bytes) {
  std::vector<uint8_t> key(bytes);
  for (size_t i = 0; i < bytes; i++) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
  return key;
}

absl::StatusOr<RssSpec> ReadRss(const JsonCursor& rss) {
  RssSpec spec;
  if (absl::Status s = rss.CheckKeys({"fields", "key", "spread"}); !s.ok()) return s;
  if (const JsonCursor c = rss.Member("fields"); c.present()) {
    absl::StatusOr<uint32_t> fields = ReadFields(c);
    if (!fields.ok()) return fields.status();
    spec.fields = *fields;
  }
  if (const JsonCursor c = rss.Member("key"); c.present()) {
    if (absl::Status s = ReadKey(c, &spec); !s.ok()) return s;
  }
  if (const JsonCursor c = rss.Member("spread"); c.present()) {
    const std::string& word = c.Is(Kind::kString) ? c.value().text : "";
    if (word != "device" && word != "auto" && word != "software")
      return c.Wrong("\"device\", \"auto\" or \"software\"");
    spec.spread = word == "auto"       ? RssSpread::kAuto
                  : word == "software" ? RssSpread::kSoftware
                                       : RssSpread::kDevice;
  }
  return spec;
}

}  // namespace twinpath
