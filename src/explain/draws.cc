// SPDX-License-Identifier: BSD-3-Clause
// The models of src/policy/model.h, packet by packet: makes each comparison separately, while the
// decision computes 64 at once. The caller checks that both agree. Pure functions.

#include "src/explain/draws.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/policy/pipeline.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

bool Below(const tp_model& model, int index, uint64_t draw) {
  return (model.always >> index & 1) || draw < model.value[index];
}

void Add(const std::string& decides, uint64_t draw, const tp_model& model, int index,
         Explanation* explanation) {
  explanation->draws.push_back({decides, draw, model.value[index], (model.always >> index & 1) != 0,
                                Below(model, index, draw)});
}

// The state for the next packet, after a packet in `state` that drew `draw`.
uint64_t NextState(const tp_model& model, uint8_t kind, uint64_t state, uint64_t draw) {
  const bool two = kind == TP_MODEL_GILBERT_ELLIOTT;
  switch (state) {
    case TP_MARKOV_GAP:
      if (two) return Below(model, TP_GE_P, draw) ? TP_MARKOV_BURST : TP_MARKOV_GAP;
      if (Below(model, TP_FOUR_13, draw)) return TP_MARKOV_BURST;
      return Below(model, TP_FOUR_13_14, draw) ? TP_MARKOV_ISOLATED : TP_MARKOV_GAP;
    case TP_MARKOV_BURST:
      if (two) return Below(model, TP_GE_R, draw) ? TP_MARKOV_GAP : TP_MARKOV_BURST;
      if (Below(model, TP_FOUR_31, draw)) return TP_MARKOV_GAP;
      return Below(model, TP_FOUR_31_32, draw) ? TP_MARKOV_SPARED : TP_MARKOV_BURST;
    case TP_MARKOV_SPARED:
      return Below(model, TP_FOUR_23, draw) ? TP_MARKOV_BURST : TP_MARKOV_SPARED;
    default:
      return TP_MARKOV_GAP;
  }
}

uint64_t StateOf(const DrawnBy& by) {
  const uint8_t kind = by.rule.model_kind;
  uint64_t state = by.n < 64 ? tp_markov_start(&by.model, kind, by.a, by.b) : by.block_markov;
  for (uint64_t n = by.n & ~uint64_t{63}; n < by.n; n++)
    state = NextState(by.model, kind, state, tp_draw(by.a, by.b, n));
  return state;
}

void AddStart(const DrawnBy& by, Explanation* explanation) {
  if (by.n != 0) return;
  const uint64_t draw = tp_draw(tp_draw_key(by.a, TP_DRAW_START), by.b, 0);
  if (by.rule.model_kind == TP_MODEL_GILBERT_ELLIOTT) {
    Add("the stream begins in the bad state", draw, by.model, TP_GE_START_BAD, explanation);
    return;
  }
  Add("the stream begins in state 3", draw, by.model, TP_FOUR_START_3, explanation);
  Add("else in state 4", draw, by.model, TP_FOUR_START_4, explanation);
  Add("else in state 2, or else in 1", draw, by.model, TP_FOUR_START_2, explanation);
}

void ExplainTwoStates(const DrawnBy& by, Explanation* explanation) {
  const bool bad = StateOf(by) == TP_MARKOV_BURST;
  AddStart(by, explanation);
  explanation->state = bad ? "bad" : "good";
  Add(absl::StrCat("lost in the ", explanation->state, " state"),
      tp_draw(tp_draw_key(by.a, TP_DRAW_LOSS), by.b, by.n), by.model,
      bad ? TP_GE_LOSS_BAD : TP_GE_LOSS_GOOD, explanation);
  explanation->lost = explanation->draws.back().below;
  Add(bad ? "then leaves the bad state" : "then leaves the good state", tp_draw(by.a, by.b, by.n),
      by.model, bad ? TP_GE_R : TP_GE_P, explanation);
}

void ExplainFourStates(const DrawnBy& by, Explanation* explanation) {
  const uint64_t state = StateOf(by), draw = tp_draw(by.a, by.b, by.n);
  AddStart(by, explanation);
  explanation->lost = state & 1;
  switch (state) {
    case TP_MARKOV_GAP:
      explanation->state = "1 (received, in a gap)";
      Add("then goes to state 3", draw, by.model, TP_FOUR_13, explanation);
      Add("else to state 4, or else stays", draw, by.model, TP_FOUR_13_14, explanation);
      break;
    case TP_MARKOV_BURST:
      explanation->state = "3 (lost, in a burst)";
      Add("then goes to state 1", draw, by.model, TP_FOUR_31, explanation);
      Add("else to state 2, or else stays", draw, by.model, TP_FOUR_31_32, explanation);
      break;
    case TP_MARKOV_SPARED:
      explanation->state = "2 (received, in a burst)";
      Add("then goes to state 3", draw, by.model, TP_FOUR_23, explanation);
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
    explanation->fate =
        absl::StrCat(Number(by.n), " is before the offset of ", Grouped(spec.offset), ": spared");
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
    absl::StrAppend(&explanation->fate, " is treated as ", Grouped(listed), " (mod ",
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
  switch (static_cast<tp_model_kind>(by.rule.model_kind)) {
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
  if (explanation->fate.empty()) explanation->fate = explanation->lost ? "lost" : "not lost";
}

}  // namespace twinpath
