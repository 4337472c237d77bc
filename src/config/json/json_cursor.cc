// SPDX-License-Identifier: BSD-3-Clause
// Walks a JSON tree and writes the errors. A JSON pointer is built only for an error, so that a
// policy of many thousand rules loads fast. Control thread, at set-up.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"

namespace twinpath {
namespace {

constexpr size_t kQuotedBytes = 80;

std::string Describe(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      return "null";
    case JsonValue::Kind::kBool:
      return value.boolean ? "true" : "false";
    case JsonValue::Kind::kString:
      return Quote(value.text);
    case JsonValue::Kind::kArray:
      return absl::StrCat("an array of ", value.items.size());
    case JsonValue::Kind::kObject:
      return "an object";
    default:  // a number
      return value.text.size() <= kQuotedBytes
                 ? value.text
                 : absl::StrCat(value.text.substr(0, kQuotedBytes), "...");
  }
}

bool Contains(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (size_t i = 0; i < text.size(); i++) {
    uint8_t byte = static_cast<uint8_t>(text[i]);
    if (i >= kQuotedBytes && (byte & 0xc0) != 0x80) return quoted + "\"...";
    if (byte == '"' || byte == '\\') {
      quoted += '\\';
      quoted += text[i];
    } else if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppend(&quoted, "\\u", absl::Hex(byte, absl::kZeroPad4));
    } else {
      quoted += text[i];
    }
  }
  return quoted + "\"";
}

std::string Join(const std::vector<std::string_view>& words) {
  std::string joined;
  for (std::string_view word : words) {
    if (!joined.empty()) joined += ", ";
    joined += word;
  }
  return joined;
}

std::string PointerToken(std::string_view key) {
  std::string token;
  for (char c : key.substr(0, kQuotedBytes)) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  // Control characters must not reach a terminal.
  std::string quoted = Quote(token);
  return quoted.substr(1, quoted.rfind('"') - 1);
}

absl::Status FoundError(const std::string& file, const std::string& pointer,
                        const std::string& found, const std::string& allowed,
                        const std::string& hint) {
  return MistakeError(
      {absl::StrCat(file, file.empty() ? "" : ": ", pointer, pointer.empty() ? "" : ": ", "found ",
                    found, ", allowed ", allowed),
       pointer, hint});
}

JsonCursor JsonCursor::Member(std::string_view key) const {
  const JsonValue* member = nullptr;
  for (size_t i = 0; i < value_->keys.size(); i++) {
    if (value_->keys[i] == key) member = &value_->items[i];
  }
  return JsonCursor(*this, member, key, 0);
}

JsonCursor JsonCursor::Item(size_t index) const {
  return JsonCursor(*this, &value_->items[index], std::string_view(), index);
}

std::string JsonCursor::pointer() const {
  std::string pointer;
  for (const JsonCursor* c = this; c->parent_; c = c->parent_) {
    std::string token = c->key_.data() ? PointerToken(c->key_) : absl::StrCat(c->index_);
    pointer = absl::StrCat("/", token, pointer);
  }
  return pointer;
}

absl::Status JsonCursor::Error(const std::string& found, const std::string& allowed,
                               const std::string& hint) const {
  return FoundError(*file_, pointer(), found, allowed, hint);
}

absl::Status JsonCursor::Wrong(const std::string& allowed, const std::string& hint) const {
  return Error(value_ ? Describe(*value_) : "nothing", allowed, hint);
}

absl::Status JsonCursor::WrongWord(const std::string& allowed,
                                   const std::vector<std::string_view>& words) const {
  return Wrong(allowed, Is(JsonValue::Kind::kString) ? DidYouMean(value_->text, words) : "");
}

absl::Status JsonCursor::CheckKeys(const std::vector<std::string_view>& allowed) const {
  if (!Is(JsonValue::Kind::kObject)) {
    return Wrong(absl::StrCat("an object with the keys ", Join(allowed)));
  }
  Mistakes mistakes;
  for (const std::string& key : value_->keys) {
    if (Contains(allowed, key)) continue;
    mistakes.Add(Member(key).Error("an unknown key", Join(allowed), DidYouMean(key, allowed)));
  }
  return mistakes.status();
}

absl::Status JsonCursor::CheckAbout() const {
  if (present() && !Is(JsonValue::Kind::kString)) return Wrong("a string");
  return absl::OkStatus();
}

absl::StatusOr<std::string> JsonCursor::String(const std::string& allowed) const {
  if (!Is(JsonValue::Kind::kString)) return Wrong(allowed);
  return value_->text;
}

absl::StatusOr<uint64_t> JsonCursor::Unsigned(uint64_t min, uint64_t max) const {
  if (!Is(JsonValue::Kind::kUnsigned) || value_->number < min || value_->number > max) {
    return Wrong(absl::StrCat("an integer from ", min, " to ", max));
  }
  return value_->number;
}

absl::StatusOr<bool> JsonCursor::Bool() const {
  if (!Is(JsonValue::Kind::kBool)) return Wrong("true or false");
  return value_->boolean;
}

}  // namespace twinpath
