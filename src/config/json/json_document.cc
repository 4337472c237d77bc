// SPDX-License-Identifier: BSD-3-Clause
// Reads a file and parses it to a JSON tree. Uses nlohmann's SAX parser, because its DOM silently
// drops duplicate keys. Nothing here recurses, so no document can exhaust the stack. Control
// thread, at set-up.

#include "src/config/json/json_document.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace twinpath {
namespace {

absl::Status Invalid(const std::string& text) { return absl::InvalidArgumentError(text); }

// Line and column of the byte at `offset`.
std::string LineAndColumn(std::string_view text, size_t offset) {
  std::string_view before = text.substr(0, offset);
  size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return absl::StrCat("line ", std::count(before.begin(), before.end(), '\n') + 1, ", column ",
                      before.size() - line_start + 1);
}

// The length of the UTF-8 sequence at the start of `text`, which must not be empty; 0 if it is not
// valid (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t Utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u; };
  unsigned first = byte(0);
  if (first < 0x80) return 1;
  size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < length; i++) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) > 0x9f) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

// Finds faults that nlohmann's lexer accepts or reports badly.
absl::Status CheckText(std::string_view text, const std::string& file) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") {
    return Invalid(absl::StrCat(file, ": line 1, column 1: found a byte order mark, allowed UTF-8 ",
                                "without one"));
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Invalid(absl::StrCat(file, ": found an empty file, allowed a JSON object"));
  }
  for (size_t i = 0; i < text.size();) {
    size_t length = text[i] == '\0' ? 0 : Utf8Length(text.substr(i));
    if (length == 0) {
      return Invalid(absl::StrCat(file, ": ", LineAndColumn(text, i), ": found byte 0x",
                                  absl::Hex(static_cast<uint8_t>(text[i]), absl::kZeroPad2),
                                  ", allowed UTF-8 text without NUL"));
    }
    i += length;
  }
  return absl::OkStatus();
}

// Builds the tree from SAX events. Each handler returns false to stop, with error() set.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  JsonValue& root() { return root_; }
  const std::optional<std::string>& error() const { return error_; }

  bool null() override { return Add({}); }
  bool boolean(bool value) override {
    JsonValue v;
    v.kind = JsonValue::Kind::kBool;
    v.boolean = value;
    return Add(std::move(v));
  }
  bool number_integer(number_integer_t value) override {
    if (value >= 0) return number_unsigned(static_cast<number_unsigned_t>(value));
    return AddText(JsonValue::Kind::kNegative, absl::StrCat(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    JsonValue v;
    v.kind = JsonValue::Kind::kUnsigned;
    v.number = value;
    v.text = absl::StrCat(value);
    return Add(std::move(v));
  }
  bool number_float(number_float_t, const string_t& literal) override {
    return AddText(JsonValue::Kind::kReal, literal);
  }
  bool string(string_t& value) override {
    return AddText(JsonValue::Kind::kString, std::move(value));
  }
  bool binary(binary_t&) override { return false; }  // JSON text has none
  bool start_object(size_t) override { return Open(JsonValue::Kind::kObject); }
  bool start_array(size_t) override { return Open(JsonValue::Kind::kArray); }
  bool key(string_t& name) override {
    open_.back().keys.push_back(std::move(name));
    return true;
  }
  bool end_object() override {
    std::vector<std::string_view> sorted(open_.back().keys.begin(), open_.back().keys.end());
    std::sort(sorted.begin(), sorted.end());
    auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice == sorted.end()) return Close();
    std::string name(*twice);
    open_.back().keys.back() = name;  // Pointer() ends in the open object's last key
    return Fail(absl::StrCat(Pointer(), ": found the key twice, allowed once"));
  }
  bool end_array() override { return Close(); }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::json::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ...":
    // keeps only the reason, and never a whole token of a large document.
    std::string reason = e.what();
    // "... number overflow parsing '1e999'" is not a syntax error.
    if (const size_t number = reason.find("parsing '"); e.id == 406 && number != reason.npos) {
      std::string literal = reason.substr(number + 9, reason.rfind('\'') - number - 9);
      if (literal.size() > 40) literal = literal.substr(0, 40) + "...";
      return Fail(absl::StrCat(Pointer(), ": found ", literal,
                               ", allowed a number that a double holds, at most 1.8e308"));
    }
    size_t cut = reason.find("syntax error");
    if (cut == std::string::npos) cut = reason.find("] ") + 2;
    reason = reason.substr(cut);
    if (reason.size() > 200) reason = reason.substr(0, 200) + "...";
    return Fail(absl::StrCat(LineAndColumn(text_, position ? position - 1 : 0), ": ", reason));
  }

 private:
  bool AddText(JsonValue::Kind kind, std::string text) {
    JsonValue v;
    v.kind = kind;
    v.text = std::move(text);
    return Add(std::move(v));
  }
  bool Add(JsonValue value) {
    if (++values_ > kMaxDocumentValues) {
      return Fail(absl::StrCat("found more than ", kMaxDocumentValues, " values, allowed ",
                               kMaxDocumentValues));
    }
    if (open_.empty()) {
      root_ = std::move(value);
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }
  bool Open(JsonValue::Kind kind) {
    if (open_.size() == kMaxDocumentDepth) {
      return Fail(absl::StrCat(Pointer(), ": found nesting deeper than ", kMaxDocumentDepth,
                               ", allowed ", kMaxDocumentDepth, " levels"));
    }
    open_.emplace_back().kind = kind;
    return true;
  }
  bool Close() {
    JsonValue done = std::move(open_.back());
    open_.pop_back();
    return Add(std::move(done));
  }
  // The pointer of the value that is being read.
  std::string Pointer() const {
    std::string pointer;
    for (const JsonValue& v : open_) {
      absl::StrAppend(&pointer, "/",
                      v.kind == JsonValue::Kind::kObject ? PointerToken(v.keys.back())
                                                         : absl::StrCat(v.items.size()));
    }
    return pointer;
  }
  bool Fail(const std::string& reason) {
    error_ = absl::StrCat(file_, ": ", reason);
    return false;
  }

  std::string_view text_;
  const std::string& file_;
  JsonValue root_;
  std::vector<JsonValue> open_;  // the containers around the value being read
  size_t values_ = 0;
  std::optional<std::string> error_;
};

}  // namespace

absl::StatusOr<std::string> ReadDocument(const std::string& path) {
  std::error_code error;
  std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return Invalid(
        absl::StrCat(path, ": cannot be opened: ", error ? error.message() : "no such file"));
  }
  if (std::filesystem::is_directory(status)) {
    return Invalid(absl::StrCat(path, ": found a directory, allowed a file"));
  }
  if (std::filesystem::is_regular_file(status)) {
    uintmax_t size = std::filesystem::file_size(path, error);
    if (!error && size > kMaxDocumentBytes) {
      return Invalid(absl::StrCat(path, ": found ", size, " bytes, allowed ", kMaxDocumentBytes));
    }
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return Invalid(absl::StrCat(path, ": cannot be opened: ", std::strerror(errno)));
  }
  // Reads only a little more than the limit, because a pipe has no size.
  std::string text;
  std::vector<char> chunk(64 << 10);
  while (text.size() <= kMaxDocumentBytes) {
    stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    if (stream.gcount() == 0) break;
    text.append(chunk.data(), static_cast<size_t>(stream.gcount()));
  }
  if (text.size() > kMaxDocumentBytes) {
    return Invalid(absl::StrCat(path, ": found more than ", kMaxDocumentBytes, " bytes, allowed ",
                                kMaxDocumentBytes));
  }
  if (stream.bad()) {
    return Invalid(absl::StrCat(path, ": cannot be read: ", std::strerror(errno)));
  }
  return text;
}

absl::StatusOr<JsonValue> ParseDocument(std::string_view text, const std::string& file) {
  if (text.size() > kMaxDocumentBytes) {
    return Invalid(
        absl::StrCat(file, ": found ", text.size(), " bytes, allowed ", kMaxDocumentBytes));
  }
  if (absl::Status status = CheckText(text, file); !status.ok()) return status;
  TreeBuilder builder(text, file);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  if (builder.error()) return Invalid(*builder.error());
  return std::move(builder.root());
}

}  // namespace twinpath
