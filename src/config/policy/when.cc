// SPDX-License-Identifier: BSD-3-Clause
// Reads a rule's conditions: times, a number of packets, a share of flows. Control thread, at
// set-up.

#include "src/config/policy/when.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "src/config/json/mistakes.h"
#include "src/config/json/values.h"

namespace twinpath {
namespace {

constexpr uint64_t kMaxPackets = uint64_t{1} << 48;
constexpr char kDuration[] = "a whole number of us, ms, s, m or h, such as \"250ms\"";

absl::StatusOr<TimeWindow> ReadActive(const JsonCursor& active) {
  Mistakes mistakes;
  mistakes.Add(active.CheckKeys({"from", "for", "every"}));
  if (!active.Is(JsonValue::Kind::kObject)) return mistakes.status();
  TimeWindow window;
  auto read = [&](std::string_view key, uint64_t min_ns, uint64_t* ns) {
    JsonCursor member = active.Member(key);
    if (!member.present()) return;
    absl::StatusOr<uint64_t> duration = ReadDuration(
        member, min_ns, absl::StrCat(min_ns ? "1us" : "0s", " to ten years: ", kDuration));
    mistakes.Add(duration.status());
    if (duration.ok()) *ns = *duration;
  };
  read("from", 0, &window.from_ns);
  read("for", 1, &window.for_ns);
  read("every", 1, &window.every_ns);
  if (!mistakes.none()) return mistakes.status();
  JsonCursor every = active.Member("every"), length = active.Member("for");
  if (every.present() && !length.present()) {
    return length.Wrong("how long the rule holds each time, as every is given");
  }
  if (!length.present() && !active.Member("from").present()) {
    return length.Wrong("how long the rule holds, or the start (from)");
  }
  if (every.present() && window.every_ns <= window.for_ns) {
    return every.Error(
        absl::StrCat(Quote(every.value().text), " with for ", Quote(length.value().text)),
        "more than for: the time from one start to the next");
  }
  return window;
}

}  // namespace

absl::Status ParseWhen(const JsonCursor& rule, RuleSpec* spec) {
  Mistakes mistakes;
  if (JsonCursor active = rule.Member("active"); active.present()) {
    absl::StatusOr<TimeWindow> window = ReadActive(active);
    mistakes.Add(window.status());
    // A window from 0 s without end always holds.
    if (window.ok() && *window != TimeWindow()) spec->active = *window;
  }
  if (JsonCursor packets = rule.Member("packets"); packets.present()) {
    absl::StatusOr<uint64_t> number = packets.Unsigned(1, kMaxPackets);
    mistakes.Add(number.status());
    if (number.ok()) spec->packets = *number;
  }
  if (JsonCursor flows = rule.Member("flows"); flows.present()) {
    absl::StatusOr<Probability> share = ReadProbability(flows);
    mistakes.Add(share.status());
    if (share.ok()) spec->flows = *std::move(share);
  }
  return mistakes.status();
}

bool HoldsAlways(const RuleSpec& rule) {
  return !rule.active && !rule.packets && (!rule.flows || rule.flows->always);
}

}  // namespace twinpath
