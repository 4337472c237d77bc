// SPDX-License-Identifier: BSD-3-Clause
// Closed forms of the loss models. Differences of nearly equal numbers are computed exactly, on
// thresholds or by algebra, so that rates near 0 and 1 keep their digits. Pure functions.

#include "src/config/describe/loss_statistics.h"

#include <limits>

namespace twinpath {
namespace {

using Model = LossSpec::Model;

// Makes statistics from the loss rate and `burst_ends`, the share of packets that are lost right
// before a received one.
LossStatistics Of(double rate, double burst_ends) {
  LossStatistics statistics;
  statistics.rate = rate;
  if (rate > 0) {
    statistics.mean_burst =
        burst_ends > 0 ? rate / burst_ends : std::numeric_limits<double>::infinity();
  }
  return statistics;
}

LossStatistics Correlated(const Probability& rate, double independent) {
  return Of(rate.value, rate.value * Complement(rate).value * independent);
}

LossStatistics GilbertElliott(const LossSpec& loss) {
  const double p = loss.parameters[0].value, r = loss.parameters[1].value;
  const Probability &bad = loss.parameters[2], &good = loss.parameters[3];
  const double in_bad = p > 0 ? p / (p + r) : 0, in_good = p > 0 ? r / (p + r) : 1;
  const double spares_bad = Complement(bad).value, spares_good = Complement(good).value;
  // The packet is lost, then the state may change, then the next packet is received.
  const double ends =
      in_bad * bad.value * (r * spares_good + Complement(loss.parameters[1]).value * spares_bad) +
      in_good * good.value * (p * spares_bad + Complement(loss.parameters[0]).value * spares_good);
  if (bad.always && (good.always || in_good == 0)) return Of(1, 0);
  return Of(in_bad * bad.value + in_good * good.value, ends);
}

LossStatistics FourState(const LossSpec& loss) {
  const double p13 = loss.parameters[0].value, p31 = loss.parameters[1].value,
               p32 = loss.parameters[2].value, p23 = loss.parameters[3].value,
               p14 = loss.parameters[4].value;
  // The states' shares, up to a common factor.
  double s1 = 1, s2 = 0, s3 = 0, s4 = p14;
  if (p13 > 0 && p32 > 0 && p23 == 0) return Of(0, 0);  // ends in state 2
  if (p13 > 0 && p31 > 0) {
    s3 = p13 / p31;
  } else if (p13 > 0) {
    s1 = s4 = 0;
    s3 = 1;
  }
  if (s3 > 0 && p32 > 0) s2 = s3 * p32 / p23;
  const double all = s1 + s2 + s3 + s4;
  return Of((s3 + s4) / all, (s3 * (p31 + p32) + s4) / all);
}

LossStatistics Periodic(const LossSpec& loss) {
  if (loss.burst == loss.every) return Of(1, 0);
  const double every = static_cast<double>(loss.every);
  return Of(static_cast<double>(loss.burst) / every, 1 / every);
}

LossStatistics Sequence(const LossSpec& loss) {
  const uint64_t last = loss.packets.back().last;
  const uint64_t packets = loss.repeat ? loss.repeat : last + 1;
  uint64_t lost = 0, bursts = loss.packets.size();
  for (const PacketRange& range : loss.packets) lost += range.last - range.first + 1;
  // The last burst continues in the first one of the next round.
  if (loss.repeat && last == loss.repeat - 1 && loss.packets[0].first == 0) bursts--;
  const double all = static_cast<double>(packets);
  LossStatistics statistics =
      Of(static_cast<double>(lost) / all, static_cast<double>(bursts) / all);
  if (!loss.repeat) statistics.packets = packets;
  return statistics;
}

}  // namespace

LossStatistics StatisticsOf(const LossSpec& loss) {
  switch (loss.model) {
    case Model::kNone:
      return {};
    case Model::kRandom:
      return Correlated(loss.parameters[0], 1);
    case Model::kCorrelated:
      return Correlated(loss.parameters[0], Complement(loss.parameters[1]).value);
    case Model::kGilbertElliott:
      return GilbertElliott(loss);
    case Model::kFourState:
      return FourState(loss);
    case Model::kPeriodic:
      return Periodic(loss);
    case Model::kSequence:
      return Sequence(loss);
  }
  return {};
}

}  // namespace twinpath
