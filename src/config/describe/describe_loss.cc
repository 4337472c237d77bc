// SPDX-License-Identifier: BSD-3-Clause
// Describes when a rule holds, what it loses and where the remaining packets go. Pure functions.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "src/config/describe/describe.h"
#include "src/config/policy/actions.h"
#include "src/config/policy/when.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

using Model = LossSpec::Model;

constexpr size_t kMaxListed = 4;  // ranges of a sequence

// "1 % at random (1 in 100)"
std::string ShareText(const Probability& rate) {
  if (PercentText(rate.value) != PercentText(1)) {
    return absl::StrCat(PercentText(rate.value), " at random", OneInText(rate.value));
  }
  // The rate is so close to 100 % that only the share of packets that pass is readable.
  const double spared = Complement(rate).value;
  return absl::StrCat("all but ", PercentText(spared), " at random", OneInText(spared));
}

std::string CorrelatedText(const LossSpec& loss) {
  return absl::StrCat(ShareText(loss.parameters[0]), ", correlated by ",
                      PercentText(loss.parameters[1].value), " from packet to packet");
}

std::string GilbertElliottText(const LossSpec& loss) {
  auto percent = [&](size_t i) { return PercentText(loss.parameters[i].value); };
  return absl::StrCat(percent(2), " in a bad state (Gilbert-Elliott), entered with ", percent(0),
                      " and left with ", percent(1), " a packet, ", percent(3), " in the good one");
}

std::string FourStateText(const LossSpec& loss) {
  auto percent = [&](size_t i) { return PercentText(loss.parameters[i].value); };
  return absl::StrCat("in bursts and singly (four states: p13 ", percent(0), ", p31 ", percent(1),
                      ", p32 ", percent(2), ", p23 ", percent(3), ", p14 ", percent(4), ")");
}

std::string PeriodicText(const LossSpec& loss) {
  std::string text =
      loss.burst == 1 ? "1 packet" : absl::StrCat(Grouped(loss.burst), " packets in a row");
  absl::StrAppend(&text, " of every ", Grouped(loss.every));
  return absl::StrCat(text, ", from packet ", Grouped(loss.offset), " on");
}

std::string SequenceText(const LossSpec& loss) {
  std::string text = "packets";
  for (size_t i = 0; i < loss.packets.size() && i < kMaxListed; i++) {
    const PacketRange& range = loss.packets[i];
    absl::StrAppend(&text, i ? ", " : " ", Grouped(range.first));
    if (range.first < range.last) absl::StrAppend(&text, " to ", Grouped(range.last));
  }
  if (loss.packets.size() > kMaxListed) {
    absl::StrAppend(&text, " and so on (", Grouped(loss.packets.size()), " ranges)");
  }
  if (loss.repeat) return absl::StrCat(text, ", again in every ", Grouped(loss.repeat));
  return text;
}

std::string LostText(const LossSpec& loss) {
  switch (loss.model) {
    case Model::kNone:
      return "";
    case Model::kRandom:
      return ShareText(loss.parameters[0]);
    case Model::kCorrelated:
      return CorrelatedText(loss);
    case Model::kGilbertElliott:
      return GilbertElliottText(loss);
    case Model::kFourState:
      return FourStateText(loss);
    case Model::kPeriodic:
      return PeriodicText(loss);
    case Model::kSequence:
      return SequenceText(loss);
  }
  return "";
}

std::string ScopeText(const LossSpec& loss) {
  switch (loss.scope) {
    case LossSpec::Scope::kQueue:
      return ", one stream per port and queue";
    case LossSpec::Scope::kFlow:
      return loss.bidirectional ? ", one stream per flow, both directions in it"
                                : ", one stream per flow and direction";
    case LossSpec::Scope::kPacket:
      return ", by the packet's own bytes";
  }
  return "";
}

// Whether the rate alone determines that nothing, or everything, is lost.
bool LosesNothing(const LossSpec& loss) {
  if (loss.model == Model::kNone) return true;
  return (loss.model == Model::kRandom || loss.model == Model::kCorrelated) &&
         loss.parameters[0].never;
}

// The longest tick of CLOCK_MONOTONIC_COARSE, the datapaths' clock: 1 s / CONFIG_HZ, in
// nanoseconds.
constexpr uint64_t kClockTick = 10'000'000;

bool LosesAll(const LossSpec& loss) {
  return (loss.model == Model::kRandom || loss.model == Model::kCorrelated) &&
         loss.parameters[0].always;
}

// What a rule does with the packets that its loss takes, and whom its action then takes.
struct Verb {
  const char *act, *done;
  const char* others;  // the object of the action
  bool marks = true;   // none, or not all, of the packets are lost
};

// Packets that are marked CE are forwarded. Only packets of a transport without ECN are lost then,
// and a match can say whether a rule takes such packets.
Verb VerbOf(const RuleSpec& rule) {
  constexpr uint8_t kNotEct = 0;
  const std::optional<uint8_t> ecn = rule.match.ecn;
  if (!rule.loss.ecn_mark || ecn == kNotEct) return {"lose ", "lost", " the rest", false};
  if (ecn.has_value()) return {"mark CE: ", "marked CE", " all packets"};
  return {"mark CE, or lose if not ECN-capable: ", "marked CE, or lost if not ECN-capable,",
          " all packets that are not lost"};
}

}  // namespace

std::string DescribeWhen(const RuleSpec& rule) {
  if (HoldsAlways(rule)) return "";
  std::vector<std::string> conditions;
  if (rule.active) {
    const TimeWindow& active = *rule.active;
    std::string text;
    if (active.for_ns) absl::StrAppend(&text, "for ", DurationText(active.for_ns));
    if (active.every_ns) absl::StrAppend(&text, " of every ", DurationText(active.every_ns));
    // Names the start even if it is 0 s, because an outage that begins with the program is easy to
    // overlook.
    if (active.from_ns || active.for_ns) {
      absl::StrAppend(&text, text.empty() ? "" : ", ", "from ", DurationText(active.from_ns),
                      active.for_ns && !active.every_ns ? "" : " on");
    }
    const uint64_t pause = active.every_ns ? active.every_ns - active.for_ns : kClockTick;
    if (active.for_ns && std::min(active.for_ns, pause) < kClockTick)
      absl::StrAppend(&text, " (in steps of the clock's 1 to 10 ms)");
    if (!text.empty()) conditions.push_back(text);
  }
  if (rule.packets) {
    conditions.push_back(absl::StrCat("for the first ", Grouped(*rule.packets),
                                      *rule.packets == 1 ? " packet" : " packets",
                                      " of each port and queue"));
  }
  if (rule.flows) {
    conditions.push_back(absl::StrCat("for ", PercentText(rule.flows->value), " of the flows"));
  }
  return absl::StrJoin(conditions, ", ");
}

std::string PercentOf(std::string_view text) {
  const absl::StatusOr<Probability> probability = ParseProbability(text);
  return probability.ok() ? PercentText(probability->value) : std::string(text);
}

std::string DescribeStatistics(const RuleSpec& rule, const LossStatistics& statistics) {
  const char* done = VerbOf(rule).done;
  if (statistics.rate == 0) return absl::StrCat("nothing ", done, " in the long run");
  std::string text = absl::StrCat(PercentText(statistics.rate), " ", done);
  if (statistics.packets) {
    absl::StrAppend(&text, " of a stream's first ", Grouped(statistics.packets), " packets");
  } else {
    text += " in the long run";
  }
  if (std::isinf(statistics.mean_burst)) return text + ", without end";
  return absl::StrCat(text, ", in bursts of ", absl::StrFormat("%.4g", statistics.mean_burst),
                      " on average");
}

std::string DescribeFate(const RuleSpec& rule) {
  const ForwardSpec& forward = rule.forward;
  if (LosesNothing(rule.loss)) return DescribeAction(forward.action, "", forward.port);
  const Verb verb = VerbOf(rule);
  const bool all = LosesAll(rule.loss);
  const std::string which =
      all ? "everything" : absl::StrCat(LostText(rule.loss), ScopeText(rule.loss));
  if (all && !verb.marks) return verb.act + which;
  return absl::StrCat(verb.act, which, "; ",
                      DescribeAction(forward.action, verb.others, forward.port));
}

}  // namespace twinpath
