// SPDX-License-Identifier: BSD-3-Clause
// Converts parameters to thresholds. Floating point is used only here, at set-up, for the start of
// a chain; the datapaths use only integers.

#include "src/config/compile/compile_loss.h"

#include <algorithm>
#include <cmath>

#include "src/policy/pipeline.h"

namespace twinpath {
namespace {

// The rule's own row of the models. Adds one if there is none.
tp_model& ModelOf(tp_rule* rule, CompiledPolicy* compiled) {
  if (rule->model == 0) {
    rule->model = static_cast<uint16_t>(compiled->models.size());  // of at most TP_MAX_RULES + 1
    compiled->models.emplace_back();
  }
  return compiled->models[rule->model];
}

tp_when& WhenOf(tp_rule* rule, CompiledPolicy* compiled) {
  if (rule->when == 0) {
    rule->when = static_cast<uint16_t>(compiled->whens.size());
    compiled->whens.emplace_back();
  }
  return compiled->whens[rule->when];
}

// A probability in units of 2^-64; 2^64 is a probability of 1.
__extension__ typedef unsigned __int128 Wide;
constexpr Wide kOne = Wide{1} << 64;

Wide WideOf(const Probability& p) { return p.always ? kOne : Wide{p.threshold}; }

Wide WideOf(long double p) {
  if (!(p > 0)) return 0;
  if (p >= 1) return kOne;
  return static_cast<Wide>(std::ldexp(p, 64));
}

long double Real(Wide p) { return std::ldexp(static_cast<long double>(p), -64); }

void Put(int index, Wide p, tp_model* model) {
  if (p >= kOne)
    model->always |= 1ULL << index;
  else
    model->value[index] = static_cast<uint64_t>(p);
}

void SetTwoStates(Wide p, Wide r, Wide loss_bad, Wide loss_good, Wide start_bad, tp_rule* rule,
                  CompiledPolicy* compiled) {
  rule->model_kind = TP_MODEL_GILBERT_ELLIOTT;
  tp_model& model = ModelOf(rule, compiled);
  Put(TP_GE_P, p, &model);
  Put(TP_GE_R, r, &model);
  Put(TP_GE_LOSS_GOOD, loss_good, &model);
  Put(TP_GE_LOSS_BAD, loss_bad, &model);
  Put(TP_GE_START_BAD, start_bad, &model);
}

// Sets a random loss. False if the rate is 0 or 1, so that it alone determines the fates.
bool SetRandom(const Probability& rate, tp_rule* rule) {
  rule->model_kind = TP_MODEL_RANDOM;
  if (rate.never) rule->loss = TP_LOSS_NONE;
  if (rate.always) rule->loss = TP_LOSS_ALL;
  rule->threshold = rate.threshold;
  return !rate.never && !rate.always;
}

// Sets the chain of two states that loses `rate` and correlates the fates of neighbors.
void SetCorrelated(const Probability& rate, const Probability& correlation, tp_rule* rule,
                   CompiledPolicy* compiled) {
  if (!SetRandom(rate, rule) || correlation.never) return;
  const Wide q = WideOf(rate), change = kOne - WideOf(correlation);
  SetTwoStates(q * change >> 64, (kOne - q) * change >> 64, kOne, 0, q, rule, compiled);
}

void SetGilbertElliott(const LossSpec& loss, tp_rule* rule, CompiledPolicy* compiled) {
  const Wide p = WideOf(loss.parameters[0]), r = WideOf(loss.parameters[1]);
  const Wide start = p == 0 ? 0 : WideOf(Real(p) / (Real(p) + Real(r)));
  SetTwoStates(p, r, WideOf(loss.parameters[2]), WideOf(loss.parameters[3]), start, rule, compiled);
}

// The chain's stationary distribution, up to a common factor.
struct Stationary {
  long double gap, burst, spared, isolated;
};

Stationary StationaryOf(long double p13, long double p31, long double p32, long double p23,
                        long double p14) {
  if (p13 == 0) return {1, 0, 0, p14};                 // the chain never enters a burst
  if (p32 > 0 && p23 == 0) return {0, 0, 1, 0};        // the chain never leaves SPARED
  const long double spared = p32 > 0 ? p32 / p23 : 0;  // for each packet in BURST
  if (p31 == 0) return {0, 1, spared, 0};
  const long double burst = p13 / p31;
  return {1, burst, burst * spared, p14};
}

void SetFourState(const LossSpec& loss, tp_rule* rule, CompiledPolicy* compiled) {
  const std::vector<Probability>& p = loss.parameters;  // p13, p31, p32, p23, p14
  const Wide p13 = WideOf(p[0]), p31 = WideOf(p[1]), p32 = WideOf(p[2]), p23 = WideOf(p[3]),
             p14 = WideOf(p[4]);
  rule->model_kind = TP_MODEL_FOUR_STATE;
  tp_model& model = ModelOf(rule, compiled);
  Put(TP_FOUR_13, p13, &model);
  Put(TP_FOUR_13_14, std::min(p13 + p14, kOne), &model);
  Put(TP_FOUR_31, p31, &model);
  Put(TP_FOUR_31_32, std::min(p31 + p32, kOne), &model);
  Put(TP_FOUR_23, p23, &model);
  const Stationary s = StationaryOf(Real(p13), Real(p31), Real(p32), Real(p23), Real(p14));
  const long double sum = s.gap + s.burst + s.spared + s.isolated;
  Put(TP_FOUR_START_3, WideOf(s.burst / sum), &model);
  Put(TP_FOUR_START_4, WideOf((s.burst + s.isolated) / sum), &model);
  Put(TP_FOUR_START_2, WideOf((s.burst + s.isolated + s.spared) / sum), &model);
}

// Appends packets `first` to `last` to a sequence, which begins at intervals[begin].
void AddRange(uint64_t first, uint64_t last, size_t begin, std::vector<tp_interval>* intervals) {
  const auto add = [&](uint64_t from, uint64_t to, uint64_t bits) {
    if (intervals->size() > begin && intervals->back().last == from) {
      intervals->back().bits |= bits;  // the previous range ends in the same word
    } else {
      intervals->push_back({from, to, bits});
    }
  };
  const uint64_t from = first >> 6, to = last >> 6;
  const uint64_t head = ~uint64_t{0} << (first & 63), tail = ~uint64_t{0} >> (63 - (last & 63));
  if (from == to) return add(from, from, head & tail);
  add(from, from, head);
  if (to > from + 1) add(from + 1, to - 1, ~uint64_t{0});
  add(to, to, tail);
}

void SetSequence(const LossSpec& loss, tp_rule* rule, CompiledPolicy* compiled) {
  rule->model_kind = TP_MODEL_SEQUENCE;
  std::vector<tp_interval>& intervals = compiled->intervals;
  const size_t begin = intervals.size();
  // tp_sequence_fates needs a period of at least a block's 64 packets.
  const uint64_t times = loss.repeat && loss.repeat < 64 ? (63 + loss.repeat) / loss.repeat : 1;
  for (uint64_t t = 0; t < times; t++) {
    for (const PacketRange& range : loss.packets)
      AddRange(range.first + t * loss.repeat, range.last + t * loss.repeat, begin, &intervals);
  }
  tp_model& model = ModelOf(rule, compiled);
  model.value[TP_SEQUENCE_REPEAT] = loss.repeat * times;
  model.value[TP_SEQUENCE_FIRST] = begin;
  model.value[TP_SEQUENCE_INTERVALS] = intervals.size() - begin;
}

void SetPeriodic(const LossSpec& loss, tp_rule* rule, CompiledPolicy* compiled) {
  rule->model_kind = TP_MODEL_PERIODIC;
  tp_model& model = ModelOf(rule, compiled);
  model.value[TP_PERIODIC_EVERY] = loss.every;
  model.value[TP_PERIODIC_OFFSET] = loss.offset;
  model.value[TP_PERIODIC_BURST] = loss.burst;
}

}  // namespace

void CompileLoss(const LossSpec& loss, tp_rule* rule, CompiledPolicy* compiled) {
  rule->loss = loss.scope == LossSpec::Scope::kFlow     ? TP_LOSS_FLOW
               : loss.scope == LossSpec::Scope::kPacket ? TP_LOSS_PACKET
                                                        : TP_LOSS_STREAM;
  switch (loss.model) {
    case LossSpec::Model::kNone:
      rule->loss = TP_LOSS_NONE;
      break;
    case LossSpec::Model::kRandom:
      SetRandom(loss.parameters[0], rule);
      break;
    case LossSpec::Model::kCorrelated:
      SetCorrelated(loss.parameters[0], loss.parameters[1], rule, compiled);
      break;
    case LossSpec::Model::kGilbertElliott:
      SetGilbertElliott(loss, rule, compiled);
      break;
    case LossSpec::Model::kFourState:
      SetFourState(loss, rule, compiled);
      break;
    case LossSpec::Model::kPeriodic:
      SetPeriodic(loss, rule, compiled);
      break;
    case LossSpec::Model::kSequence:
      SetSequence(loss, rule, compiled);
      break;
  }
  if (loss.bidirectional) rule->flags |= TP_RULE_BOTH_WAYS;
  if (loss.ecn_mark && rule->loss != TP_LOSS_NONE) rule->flags |= TP_RULE_MARKS;
}

void CompileConditions(const RuleSpec& spec, tp_rule* rule, CompiledPolicy* compiled) {
  if (spec.active) {
    rule->flags |= TP_RULE_TIMED;
    tp_when& when = WhenOf(rule, compiled);
    when.from = spec.active->from_ns;
    when.length = spec.active->for_ns;
    when.every = spec.active->every_ns;
  }
  if (spec.packets) {
    rule->flags |= TP_RULE_COUNTED;
    WhenOf(rule, compiled).packets = *spec.packets;
  }
  if (spec.flows && !spec.flows->always) {
    rule->flags |= TP_RULE_SHARE;
    WhenOf(rule, compiled).share = spec.flows->threshold;
  }
}

}  // namespace twinpath
