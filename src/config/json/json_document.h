// SPDX-License-Identifier: BSD-3-Clause
// JSON text -> a tree that keeps what a DOM would lose: the literal text of a number, and every
// key. JsonCursor walks the tree and words the errors: each names the JSON pointer, what was found
// and what is allowed. Control thread, at set-up.

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

// The contents of the file, at most kMaxDocumentBytes bytes: a larger file is not read.
absl::StatusOr<std::string> ReadDocument(const std::string& path);

// Parses without recursion. Syntax errors name line and column (in bytes, from 1); a key given
// twice and nesting beyond kMaxDocumentDepth name the JSON pointer.
absl::StatusOr<JsonValue> ParseDocument(std::string_view text, const std::string& file);

// `text` as a JSON string for an error message: escaped, and cut where it is long.
std::string Quote(std::string_view text);

// "a, b, c"
std::string Join(const std::vector<std::string_view>& words);

// A list of reference tokens, escaped as in RFC 6901.
std::string PointerToken(std::string_view key);

// "FILE: /pointer: found ..., allowed ..." as InvalidArgument; the hint, and the pointer, can be
// had by MistakesOf (mistakes.h).
absl::Status FoundError(const std::string& file, const std::string& pointer,
                        const std::string& found, const std::string& allowed,
                        const std::string& hint = "");

// A place in a document. Borrows the document, the file's name and the parent cursor, which must
// all outlive it.
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
  // The same for a value that must be one of `words`, among others: hints at the most similar one.
  absl::Status WrongWord(const std::string& allowed,
                         const std::vector<std::string_view>& words) const;

  // An object whose keys are all in `allowed`; else all its unknown keys.
  absl::Status CheckKeys(const std::vector<std::string_view>& allowed) const;
  // A string of any length; `about` describes it in the error.
  absl::Status CheckAbout() const;

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
