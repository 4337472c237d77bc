// SPDX-License-Identifier: BSD-3-Clause
// Parses JSON text to a tree that keeps details that a DOM loses: the literal text of a number, and
// duplicate keys. JsonCursor walks the tree and writes the errors: each names the JSON pointer,
// what was found and what is allowed. Control thread, at set-up.

#ifndef TWINPATH_CONFIG_JSON_JSON_DOCUMENT_H_
#define TWINPATH_CONFIG_JSON_JSON_DOCUMENT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace twinpath {

inline constexpr size_t kMaxDocumentBytes = 32 << 20;
inline constexpr size_t kMaxDocumentDepth = 32;
inline constexpr size_t kMaxDocumentValues = 4'000'000;

struct JsonValue {
  enum class Kind { kNull, kBool, kUnsigned, kNegative, kReal, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  uint64_t number = 0;            // kUnsigned
  std::string text;               // a string's contents; a number as written
  std::vector<std::string> keys;  // of an object, in the order of `items`
  std::vector<JsonValue> items;
};

// Returns the contents of the file. InvalidArgument if it cannot be read or has more than
// kMaxDocumentBytes bytes.
absl::StatusOr<std::string> ReadDocument(const std::string& path);

// Parses without recursion. Syntax errors name line and column (in bytes, from 1). Errors about a
// duplicate key or nesting beyond kMaxDocumentDepth name the JSON pointer.
absl::StatusOr<JsonValue> ParseDocument(std::string_view text, const std::string& file);

// `text` as a JSON string for an error message: escaped, and cut if it is long.
std::string Quote(std::string_view text);

// "a, b, c"
std::string Join(const std::vector<std::string_view>& words);

// One reference token of a JSON pointer, escaped as in RFC 6901, for an error message.
std::string PointerToken(std::string_view key);

// InvalidArgument with the message "FILE: /pointer: found ..., allowed ...". MistakesOf
// (mistakes.h) returns the hint and the pointer.
absl::Status FoundError(const std::string& file, const std::string& pointer,
                        const std::string& found, const std::string& allowed,
                        const std::string& hint = "");

// A place in a document. The document, the file's name and the parent cursor must outlive it.
class JsonCursor {
 public:
  JsonCursor(const JsonValue& value, const std::string& file) : value_(&value), file_(&file) {}

  // The member `key`, present or not, and the item `index` (below size()).
  JsonCursor Member(std::string_view key) const;
  JsonCursor Item(size_t index) const;

  bool present() const { return value_ != nullptr; }
  const JsonValue& value() const { return *value_; }
  bool Is(JsonValue::Kind kind) const { return value_ && value_->kind == kind; }
  size_t size() const { return value_->items.size(); }
  std::string pointer() const;

  absl::Status Error(const std::string& found, const std::string& allowed,
                     const std::string& hint = "") const;
  // An error that describes the value here, or says that there is none.
  absl::Status Wrong(const std::string& allowed, const std::string& hint = "") const;
  // As Wrong(). The error also suggests the word of `words` that is most like the found one.
  absl::Status WrongWord(const std::string& allowed,
                         const std::vector<std::string_view>& words) const;

  // Checks that the value is an object and all its keys are in `allowed`. An error lists all
  // unknown keys.
  absl::Status CheckKeys(const std::vector<std::string_view>& allowed) const;
  // Checks that the value is a string or absent.
  absl::Status CheckAbout() const;

  // These return the value, or an error that says what is allowed.
  absl::StatusOr<std::string> String(const std::string& allowed) const;
  absl::StatusOr<uint64_t> Unsigned(uint64_t min, uint64_t max) const;
  absl::StatusOr<bool> Bool() const;

 private:
  JsonCursor(const JsonCursor& parent, const JsonValue* value, std::string_view key, size_t index)
      : value_(value), file_(parent.file_), parent_(&parent), key_(key), index_(index) {}

  const JsonValue* value_;
  const std::string* file_;
  const JsonCursor* parent_ = nullptr;
  std::string_view key_;  // data() is null for an item of an array
  size_t index_ = 0;
};

}  // namespace twinpath

#endif  // TWINPATH_CONFIG_JSON_JSON_DOCUMENT_H_
