// SPDX-License-Identifier: BSD-3-Clause
// The models of src/policy/model.h, packet by packet: each comparison by itself, where the decision
// makes 64 at once. That both come to the same is checked by whoever asks. Pure functions.

#include "src/explain/draws.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/config/describe/words.h"
#include "src/policy/host.h"

namespace twinpath {
namespace {

bool Below(const tp_detail& detail, int index, uint64_t draw) {
  return (detail.always >> index & 1) || draw < detail.value[index];
}

void Add(const std::string& decides, uint64_t draw, const tp_detail& detail, int index,
         Explanation* explanation) {
  explanation->draws.push_back({decides, draw, detail.value[index],
                                (detail.always >> index & 1) != 0, Below(detail, index, draw)});
}

// The state that the packet behind one which found `state`, and drew `draw`, finds.
uint64_t NextState(const tp_detail& detail, uint8_t model, uint64_t state, uint64_t draw) {
  const bool two = model == TP_MODEL_GILBERT_ELLIOTT;
  switch (state) {
    case TP_CHAIN_GAP:
      if (two) return Below(detail, TP_GE_P, draw) ? TP_CHAIN_BURST : TP_CHAIN_GAP;
      if (Below(detail, TP_FOUR_13, draw)) return TP_CHAIN_BURST;
      return Below(detail, TP_FOUR_13_14, draw) ? TP_CHAIN_ISOLATED : TP_CHAIN_GAP;
    case TP_CHAIN_BURST:
      if (two) return Below(detail, TP_GE_R, draw) ? TP_CHAIN_GAP : TP_CHAIN_BURST;
      if (Below(detail, TP_FOUR_31, draw)) return TP_CHAIN_GAP;
      return Below(detail, TP_FOUR_31_32, draw) ? TP_CHAIN_SPARED : TP_CHAIN_BURST;
    case TP_CHAIN_SPARED:
      return Below(detail, TP_FOUR_23, draw) ? TP_CHAIN_BURST : TP_CHAIN_SPARED;
    default:
      return TP_CHAIN_GAP;
  }
}

uint64_t StateOf(const DrawnBy& by) {
  const uint8_t model = by.rule.model;
  uint64_t state = by.n < 64 ? tp_chain_start(&by.detail, model, by.a, by.b) : by.block_chain;
  for (uint64_t n = by.n & ~uint64_t{63}; n < by.n; n++)
    state = NextState(by.detail, model, state, tp_draw(by.a, by.b, n));
  return state;
}

void AddStart(const DrawnBy& by, Explanation* explanation) {
  if (by.n != 0) return;
  const uint64_t draw = tp_draw(tp_draw_key(by.a, TP_DRAW_START), by.b, 0);
  if (by.rule.model == TP_MODEL_GILBERT_ELLIOTT) {
    Add("the stream begins in the bad state", draw, by.detail, TP_GE_START_BAD, explanation);
    return;
  }
  Add("the stream begins in state 3", draw, by.detail, TP_FOUR_START_3, explanation);
  Add("else in state 4", draw, by.detail, TP_FOUR_START_4, explanation);
  Add("else in state 2, or else in 1", draw, by.detail, TP_FOUR_START_2, explanation);
}

void ExplainTwoStates(const DrawnBy& by, Explanation* explanation) {
  const bool bad = StateOf(by) == TP_CHAIN_BURST;
  AddStart(by, explanation);
  explanation->state = bad ? "bad" : "good";
  Add(absl::StrCat("lost in the ", explanation->state, " state"),
      tp_draw(tp_draw_key(by.a, TP_DRAW_LOSS), by.b, by.n), by.detail,
      bad ? TP_GE_LOSS_BAD : TP_GE_LOSS_GOOD, explanation);
  explanation->lost = explanation->draws.back().below;
  Add(bad ? "then leaves the bad state" : "then leaves the good state", tp_draw(by.a, by.b, by.n),
      by.detail, bad ? TP_GE_R : TP_GE_P, explanation);
}

void ExplainFourStates(const DrawnBy& by, Explanation* explanation) {
  const uint64_t state = StateOf(by), draw = tp_draw(by.a, by.b, by.n);
  AddStart(by, explanation);
  explanation->lost = state & 1;
  switch (state) {
    case TP_CHAIN_GAP:
      explanation->state = "1 (received, in a gap)";
      Add("then goes to state 3", draw, by.detail, TP_FOUR_13, explanation);
      Add("else to state 4, or else stays", draw, by.detail, TP_FOUR_13_14, explanation);
      break;
    case TP_CHAIN_BURST:
      explanation->state = "3 (lost, in a burst)";
      Add("then goes to state 1", draw, by.detail, TP_FOUR_31, explanation);
      Add("else to state 2, or else stays", draw, by.detail, TP_FOUR_31_32, explanation);
      break;
    case TP_CHAIN_SPARED:
      explanation->state = "2 (received, in a burst)";
      Add("then goes to state 3", draw, by.detail, TP_FOUR_23, explanation);
      break;
    default:
      explanation->state = "4 (lost by itself); then goes to state 1";
  }
}

void ExplainRandom(const DrawnBy& by, Explanation* explanation) {
  const bool hashed = by.rule.loss == TP_LOSS_PACKET;
  const uint64_t draw = hashed ? by.packet_hash : tp_draw(by.a, by.b, by.n);
  explanation->lost = draw < by.rule.threshold;
  explanation->draws.push_back({hashed ? "lost, by the hash of the packet" : "lost", draw,
                                by.rule.threshold, false, explanation->lost});
}

std::string Number(uint64_t n) { return absl::StrCat("packet ", Grouped(n)); }

void ExplainPeriodic(const DrawnBy& by, Explanation* explanation) {
  const LossSpec& spec = by.spec;
  if (by.n < spec.offset) {
    explanation->fate = absl::StrCat(Number(by.n), " stands before the offset of ",
                                     Grouped(spec.offset), ": spared");
    return;
  }
  const uint64_t phase = (by.n - spec.offset) % spec.every;
  explanation->lost = phase < spec.burst;
  explanation->fate = absl::StrCat(
      "(", Grouped(by.n), " - ", Grouped(spec.offset), ") mod ", Grouped(spec.every), " = ",
      Grouped(phase), ", ", explanation->lost ? "below" : "not below", " the burst of ",
      Grouped(spec.burst), ": ", explanation->lost ? "lost" : "spared");
}

void ExplainSequence(const DrawnBy& by, Explanation* explanation) {
  const LossSpec& spec = by.spec;
  const uint64_t listed = spec.repeat ? by.n % spec.repeat : by.n;
  explanation->lost = std::any_of(
      spec.packets.begin(), spec.packets.end(),
      [listed](const PacketRange& range) { return range.first <= listed && listed <= range.last; });
  explanation->fate = Number(by.n);
  if (spec.repeat)
    absl::StrAppend(&explanation->fate, " stands for ", Grouped(listed), " (mod ",
                    Grouped(spec.repeat), "), which");
  absl::StrAppend(&explanation->fate,
                  explanation->lost ? " is listed: lost" : " is not listed: spared");
}

}  // namespace

void ExplainFate(const DrawnBy& by, Explanation* explanation) {
  if (by.rule.loss == TP_LOSS_NONE) {
    explanation->fate = "the rule loses nothing";
    return;
  }
  if (by.rule.loss == TP_LOSS_ALL) {
    explanation->lost = true;
    explanation->fate = "the rule loses everything";
    return;
  }
  switch (by.rule.model) {
    case TP_MODEL_RANDOM:
      ExplainRandom(by, explanation);
      break;
    case TP_MODEL_GILBERT_ELLIOTT:
      ExplainTwoStates(by, explanation);
      break;
    case TP_MODEL_FOUR_STATE:
      ExplainFourStates(by, explanation);
      break;
    case TP_MODEL_PERIODIC:
      ExplainPeriodic(by, explanation);
      break;
    case TP_MODEL_SEQUENCE:
      ExplainSequence(by, explanation);
      break;
  }
  if (explanation->fate.empty()) explanation->fate = explanation->lost ? "lost" : "spared";
}

}  // namespace twinpath
