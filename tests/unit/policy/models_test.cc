// SPDX-License-Identifier: BSD-3-Clause
// Every loss model loses packets according to its definition. Over a million packets of each
// stream, the rate and the lengths of bursts and gaps are compared with the model's. Packet by
// packet, the losses are compared with a simulation that takes one draw after the other. The losses
// are the same by blocks, one by one, in runs, shared and by flow. Seeds are fixed, so every figure
// here is exact and repeatable.
//
// Bounds: 3.9 standard deviations for a rate (1e-4, two-sided), including the covariances of the
// chain; p-values of more than 1e-6.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/describe/loss_statistics.h"
#include "tests/unit/lib/fates.h"
#include "tests/unit/lib/host_tables.h"
#include "tests/unit/lib/model_chain.h"

namespace twinpath {
namespace {

constexpr size_t kBlocks = 15625;  // of 64 packets: a million
constexpr size_t kPackets = 64 * kBlocks;
constexpr double kLeastP = 1e-6;

struct Model {
  std::string json;  // members of "loss"
  ModelChain chain;
};

Model Random(double rate) {
  return {absl::StrFormat(R"("model": "random", "rate": %g)", rate), RandomChain(rate)};
}
Model Correlated(double rate, double correlation) {
  return {
      absl::StrFormat(R"("model": "correlated", "rate": %g, "correlation": %g)", rate, correlation),
      CorrelatedChain(rate, correlation)};
}
Model GilbertElliott(double p, double r, double bad, double good) {
  return {absl::StrFormat(R"("model": "gilbert_elliott", "p": %g, "r": %g, )"
                          R"("loss_bad": %g, "loss_good": %g)",
                          p, r, bad, good),
          GilbertElliottChain(p, r, bad, good)};
}
Model FourState(double p13, double p31, double p32, double p23, double p14) {
  return {absl::StrFormat(R"("model": "four_state", "p13": %g, "p31": %g, "p32": %g, )"
                          R"("p23": %g, "p14": %g)",
                          p13, p31, p32, p23, p14),
          FourStateChain(p13, p31, p32, p23, p14)};
}

std::vector<Model> Models() {
  return {
      Random(0),
      Random(1e-3),
      Random(0.3),
      Random(1),
      Correlated(0, 0.5),
      Correlated(1, 0.5),
      Correlated(0.3, 0),
      Correlated(0.1, 0.5),
      Correlated(0.01, 0.9),
      Correlated(0.5, 0.25),
      Correlated(0.9, 0.99),
      GilbertElliott(0.01, 0.25, 1, 0),
      GilbertElliott(0.2, 0.2, 1, 0),  // p = r
      GilbertElliott(0.5, 0.5, 0.75, 0.25),
      GilbertElliott(0.3, 0.7, 1, 0),  // p + r = 1: no memory
      GilbertElliott(0.05, 0.4, 0.8, 0.01),
      GilbertElliott(0.001, 0.1, 0.5, 0.001),
      GilbertElliott(1, 1, 1, 0),       // every second one
      GilbertElliott(1, 0.5, 1, 0),     // never good twice
      GilbertElliott(0.1, 1, 1, 0.05),  // never bad twice
      GilbertElliott(0.1, 0.3, 0, 0.2),
      GilbertElliott(0.02, 0.2, 1, 1),    // everything
      GilbertElliott(0, 0.3, 1, 0.02),    // never bad
      GilbertElliott(0.1, 0, 1, 0),       // ends in bad
      GilbertElliott(0.1, 0, 0.5, 0.25),  // the same
      FourState(0.01, 0.25, 0, 1, 0),
      FourState(0.25, 0.5, 0.25, 0.5, 0.125),
      FourState(0.05, 0.3, 0.2, 0.6, 0.02),
      FourState(0.01, 0.1, 0.9, 0.9, 0.01),
      FourState(0, 0.5, 0, 1, 0.1),      // singly alone
      FourState(0, 0.5, 0.5, 1, 1),      // every second one
      FourState(1, 0.3, 0.2, 0.5, 0),    // p13 = 1
      FourState(0.1, 0, 1, 0.5, 0),      // p32 = 1: ends between 2 and 3
      FourState(0.1, 1, 0, 1, 0.9),      // p13 + p14 = 1
      FourState(0.1, 0, 0, 1, 0.05),     // ends in 3
      FourState(0.1, 0.2, 0.3, 0, 0.1),  // ends in 2
  };
}

std::string Json(const Model& model, const std::string& more = "") {
  return absl::StrCat(R"({"version": 1, "seed": 7, "default": {"loss": {)", model.json, more,
                      "}}}");
}

LossStatistics StatisticsOf(const Model& model) {
  return twinpath::StatisticsOf(ParsePolicy(Json(model), "test").value().fallback.loss);
}

TEST(Models, RateIsTheModelsOwn) {
  for (const Model& model : Models()) {
    HostTables tables(CompileText(Json(model)));
    const double rate = StatisticsOf(model).rate;
    EXPECT_NEAR(rate, RateOf(model.chain), 1e-9) << model.json;
    const double bound = 3.9 * DeviationOf(model.chain, kPackets) + 1e-3;
    for (uint32_t q = 0; q < 3; q++) {
      HostQueue queue(tables, q);
      const double lost = static_cast<double>(Lost(FatesOf(&queue, kBlocks)));
      EXPECT_LE(std::abs(lost - static_cast<double>(kPackets) * rate), bound)
          << model.json << " queue " << q << ": lost " << lost;
    }
  }
}

// Every `each`-th length.
std::vector<uint64_t> Thinned(const std::vector<uint64_t>& lengths, size_t each) {
  std::vector<uint64_t> thinned;
  for (size_t i = 0; i < lengths.size(); i += each) thinned.push_back(lengths[i]);
  return thinned;
}

TEST(Models, BurstsAndGapsAreAsLongAsTheModelsOwn) {
  int judged = 0;
  for (const Model& model : Models()) {
    const std::vector<double> bursts = LengthsOf(model.chain, true);
    const std::vector<double> gaps = LengthsOf(model.chain, false);
    HostTables tables(CompileText(Json(model)));
    HostQueue queue(tables);
    const Fates fates = FatesOf(&queue, kBlocks);
    if (bursts.empty() || gaps.empty()) {  // all packets are lost, or none
      EXPECT_TRUE(Lost(fates) == 0 || Lost(fates) == kPackets) << model.json;
      EXPECT_EQ(StatisticsOf(model).rate, Lost(fates) == 0 ? 0 : 1) << model.json;
      continue;
    }
    double mean = 0;
    for (double longer : bursts) mean += longer;
    EXPECT_NEAR(mean, StatisticsOf(model).mean_burst, 1e-6 * mean) << model.json;
    const size_t each = IndependentBurst(model.chain);
    ASSERT_GT(each, 0u) << model.json;
    for (bool lost : {true, false}) {
      const std::vector<double>& longer = lost ? bursts : gaps;
      EXPECT_GT(LengthsP(Thinned(RunLengths(fates, lost), each),
                         [&longer](uint64_t k) { return longer[std::min(k, longer.size() - 1)]; }),
                kLeastP)
          << model.json << (lost ? " bursts" : " gaps") << ", one of " << each;
    }
    judged++;
  }
  EXPECT_GE(judged, 24);
}

// The checks above can fail: they distinguish each model from a similar one.
TEST(Models, JudgesAreNotBlind) {
  const Model asked = GilbertElliott(0.05, 0.4, 0.8, 0.01);
  HostTables tables(CompileText(Json(asked)));
  HostQueue queue(tables);
  const Fates fates = FatesOf(&queue, kBlocks);
  for (const Model& other :
       {GilbertElliott(0.055, 0.4, 0.8, 0.01), GilbertElliott(0.05, 0.44, 0.8, 0.01),
        GilbertElliott(0.05, 0.4, 0.85, 0.01), GilbertElliott(0.05, 0.4, 0.8, 0.013)}) {
    double least = 1;
    for (bool lost : {true, false}) {
      const std::vector<double> longer = LengthsOf(other.chain, lost);
      least = std::min(
          least,
          LengthsP(Thinned(RunLengths(fates, lost), IndependentBurst(other.chain)),
                   [&longer](uint64_t k) { return longer[std::min(k, longer.size() - 1)]; }));
    }
    const double off = std::abs(static_cast<double>(Lost(fates)) -
                                static_cast<double>(kPackets) * RateOf(other.chain));
    EXPECT_TRUE(least < kLeastP || off > 3.9 * DeviationOf(other.chain, kPackets)) << other.json;
  }
}

// The definition in model.h, as simple as possible: one packet after the other, each by whole
// draws.
class Walk {
 public:
  Walk(const tp_rule& rule, const tp_model& model, uint64_t a, uint64_t b)
      : rule_(rule), model_(model), a_(a), b_(b) {}

  bool Next() {
    if (rule_.model_kind == TP_MODEL_RANDOM) return tp_draw(a_, b_, n_++) < rule_.threshold;
    if (n_ == 0) state_ = Start();
    const bool two_states = rule_.model_kind == TP_MODEL_GILBERT_ELLIOTT;
    const bool lost = two_states ? LostInTwoStates() : state_ == 3 || state_ == 4;
    const uint64_t draw = tp_draw(a_, b_, n_++);
    if (two_states)
      state_ = Below(draw, state_ == 0 ? TP_GE_P : TP_GE_R) ? 1 - state_ : state_;
    else
      state_ = NextOfFour(draw);
    return lost;
  }

 private:
  bool Below(uint64_t draw, int index) const {
    return model_.always >> index & 1 || draw < model_.value[index];
  }
  int Start() const {
    const uint64_t draw = tp_draw(tp_draw_key(a_, TP_DRAW_START), b_, 0);
    if (rule_.model_kind == TP_MODEL_GILBERT_ELLIOTT) return Below(draw, TP_GE_START_BAD);
    return Below(draw, TP_FOUR_START_3)   ? 3
           : Below(draw, TP_FOUR_START_4) ? 4
           : Below(draw, TP_FOUR_START_2) ? 2
                                          : 1;
  }
  bool LostInTwoStates() const {
    const uint64_t draw = tp_draw(tp_draw_key(a_, TP_DRAW_LOSS), b_, n_);
    return Below(draw, state_ == 1 ? TP_GE_LOSS_BAD : TP_GE_LOSS_GOOD);
  }
  int NextOfFour(uint64_t draw) const {
    if (state_ == 1) return Below(draw, TP_FOUR_13) ? 3 : Below(draw, TP_FOUR_13_14) ? 4 : 1;
    if (state_ == 3) return Below(draw, TP_FOUR_31) ? 1 : Below(draw, TP_FOUR_31_32) ? 2 : 3;
    if (state_ == 2) return Below(draw, TP_FOUR_23) ? 3 : 2;
    return 1;
  }

  const tp_rule& rule_;
  const tp_model& model_;
  const uint64_t a_, b_;
  uint64_t n_ = 0;
  int state_ = 0;
};

TEST(Models, EveryPacketMeetsTheFateOfTheWalk) {
  for (const Model& model : Models()) {
    HostTables tables(CompileText(Json(model)));
    const tp_rule& rule = tables.policy().rules[0];
    if (rule.loss != TP_LOSS_STREAM) continue;  // of rate 0 or 1: nothing is drawn
    for (uint32_t q = 0; q < 2; q++) {
      HostQueue queue(tables, q);
      Walk walk(rule, tables.policy().models[rule.model], queue.state()->key_a,
                queue.state()->key_b);
      const Fates fates = FatesOf(&queue, 100);
      for (size_t n = 0; n < 6400; n++) ASSERT_EQ(At(fates, n), walk.Next()) << model.json << n;
    }
  }
}

TEST(Models, EveryFlowMeetsTheFatesOfItsOwnWalk) {
  for (const Model& model : Models()) {
    HostTables tables(CompileText(Json(model, R"(, "scope": "flow")")), kMinFlowMemory);
    const tp_rule& rule = tables.policy().rules[0];
    if (rule.loss != TP_LOSS_FLOW) continue;
    // Three flows at once, on two queues, in random order.
    HostQueue queues[] = {HostQueue(tables, 0), HostQueue(tables, 1)};
    std::vector<uint64_t> keys;
    std::vector<Walk> walks;
    for (uint64_t flow = 1; flow <= 3; flow++) {
      keys.push_back(tp_mix(flow));
      walks.emplace_back(rule, tables.policy().models[rule.model], keys.back(),
                         tp_flow_second_key(&rule, keys.back()));
    }
    std::mt19937 random(1);
    for (int n = 0; n < 6000; n++) {
      const size_t flow = random() % 3;
      ASSERT_EQ(queues[random() % 2].LoseFlow(keys[flow]) != 0, walks[flow].Next()) << model.json;
    }
    EXPECT_EQ(queues[0].extras().flows_added + queues[1].extras().flows_added, 3u);
  }
}

// Short flows lose at the same rate as long ones: every packet number has the same rate over many
// streams.
TEST(Models, StreamsBeginInTheStationaryState) {
  constexpr int kStreams = 50000;
  for (const Model& model : Models()) {
    HostTables tables(CompileText(Json(model)));
    HostQueue queue(tables);
    const tp_rule& rule = tables.policy().rules[0];
    if (rule.loss != TP_LOSS_STREAM) continue;
    double lost[64] = {};
    for (uint64_t stream = 0; stream < kStreams; stream++) {
      __u64 markov = 0;
      const tp_block block = {tp_mix(stream), rule.key_b, 0};
      const uint64_t fates = tp_rule_fates(queue.datapath(), 0, &block, &markov);
      for (size_t n : {0, 1, 5, 63}) lost[n] += fates >> n & 1;
    }
    const double rate = RateOf(model.chain), deviation = std::sqrt(kStreams * rate * (1 - rate));
    for (size_t n : {0, 1, 5, 63})
      EXPECT_LE(std::abs(lost[n] - kStreams * rate), 3.9 * deviation + 1e-3)
          << model.json << " packet " << n << ": lost " << lost[n];
  }
}

std::vector<Model> ModelsAndLists() {
  std::vector<Model> models = Models();
  models.push_back({R"("model": "periodic", "every": 100, "offset": 70, "burst": 33)", {}});
  models.push_back(
      {R"("model": "sequence", "packets": [3, "60-70", "120-300"], "repeat": 1001)", {}});
  return models;
}

TEST(Models, BlocksRunsSinglePacketsAndSharedStreamsAgree) {
  for (const Model& model : ModelsAndLists()) {
    HostTables tables(CompileText(Json(model)));
    HostQueue blocks(tables), single(tables), shared(tables), runs(tables);
    const Fates fates = FatesOf(&blocks, 1600);
    std::mt19937 random(1);
    for (size_t n = 0; n < 64 * 1600; n++) {
      ASSERT_EQ(single.Lose(), At(fates, n)) << model.json << " packet " << n;
      ASSERT_EQ(shared.LoseShared(), At(fates, n)) << model.json << " packet " << n;
    }
    EXPECT_EQ(single.state()->lost_packets, Lost(fates));
    EXPECT_EQ(shared.state()->lost_packets, Lost(fates));
    for (size_t n = 0; n + 64 <= 64 * 1600;) {
      const uint32_t count = 1 + random() % 64;
      const uint64_t run = runs.LoseRun(count);
      for (uint32_t i = 0; i < count; i++)
        ASSERT_EQ(run >> i & 1, At(fates, n + i)) << model.json << " packet " << n + i;
      if (count < 64) {
        ASSERT_EQ(run >> count, 0u);
      }
      n += count;
    }
  }
}

}  // namespace
}  // namespace twinpath
