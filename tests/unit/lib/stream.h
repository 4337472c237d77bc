// SPDX-License-Identifier: BSD-3-Clause
// One stream of one rule on the host's tables, for tests of loss models. Owns the rule and the
// state. One thread.

#ifndef TWINPATH_TESTS_UNIT_LIB_STREAM_H_
#define TWINPATH_TESTS_UNIT_LIB_STREAM_H_

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "src/policy/pipeline.h"

namespace twinpath {

struct StreamSpec {
  uint64_t seed = 7;
  std::string rule = "default";
  std::string port = "port0";
  uint32_t queue = 0;
};

class Stream {
 public:
  // Loses with `threshold` of 2^64, by the random model or by `kind`.
  Stream(const StreamSpec& spec, uint64_t threshold, tp_loss_kind kind = TP_LOSS_STREAM) {
    tp_rule_key(spec.seed, tp_name_hash(spec.rule.data(), spec.rule.size()), &rule_.key_a,
                &rule_.key_b);
    rule_.threshold = threshold;
    rule_.loss = static_cast<__u8>(kind);
    datapath_.tables.rules = &rule_;
    datapath_.tables.models = &model_;
    tp_state_init(&state_, &rule_, 0, tp_name_hash(spec.port.data(), spec.port.size()), spec.queue);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int Lose(uint32_t bytes = 100) { return tp_lose(&datapath_, &state_, 0, bytes); }
  int LoseShared(uint32_t bytes = 100) { return tp_lose_shared(&datapath_, &state_, 0, bytes); }
  uint64_t LoseRun(uint32_t count) { return tp_lose_run(&datapath_, &state_, count); }
  const tp_state& state() const { return state_; }

  // The fates of the next 64 * `blocks` packets: bit i of word b is packet 64 * b + i's.
  std::vector<uint64_t> Fates(size_t blocks) {
    std::vector<uint64_t> fates(blocks);
    for (uint64_t& block : fates) block = LoseRun(64);
    return fates;
  }

 private:
  tp_rule rule_ = {};
  tp_model model_ = {};
  tp_state state_;
  tp_datapath datapath_ = {};
};

// `p` of 2^64, p in [0, 1).
inline uint64_t Threshold(double p) { return static_cast<uint64_t>(std::ldexp(p, 64)); }

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_STREAM_H_
