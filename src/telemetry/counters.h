// SPDX-License-Identifier: BSD-3-Clause
// Every counter of a running datapath, listed once: its name, unit, meaning and member. The
// summary, the telemetry commands, their client, parity and the tables loop over these lists. To
// add a counter, add the member and one line here; a member without a line does not compile.
// Constants and pure functions; any thread.

#ifndef TWINPATH_TELEMETRY_COUNTERS_H_
#define TWINPATH_TELEMETRY_COUNTERS_H_

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>

#include "src/policy/types.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

// Where a packet ended, by enum tp_verdict. The fields are NAME_packets and NAME_bytes.
struct Verdict {
  tp_verdict verdict;
  const char* name;
  const char* help;
};
inline constexpr std::array<Verdict, TP_VERDICTS> kVerdicts = {{
    {TP_TX, "tx", "sent by a port"},
    {TP_PASS, "pass", "passed to the kernel"},
    {TP_LOST, "lost", "lost by a loss model"},
    {TP_DENIED, "denied", "dropped by \"drop\", or not answered by \"reflect-echo\""},
    {TP_MALFORMED, "malformed", "dropped as malformed, or too short to reflect"},
    {TP_TX_FULL, "tx_full", "not accepted by the queue that should send or pass it"},
    {TP_NO_PORT, "no_port", "for a port that does not exist"},
}};

// One counter of a Row. A tp_count is shown as the fields NAME_packets and NAME_bytes, a number as
// the field NAME.
template <typename Row>
struct Counter {
  const char* name;
  const char* unit;
  const char* help;
  std::variant<tp_count Row::*, __u64 Row::*, uint64_t Row::*> member;
  bool gauge = false;  // may become smaller, or is no sum
};

// Counters of a queue that are shown before its verdicts.
inline constexpr std::array kQueueCounters = {
    Counter<tp_queue_counters>{"rx", "packets", "received", &tp_queue_counters::rx},
};

// Counters of a queue besides the verdicts. A packet counted here also has a verdict.
inline constexpr std::array kQueueExtras = {
    Counter<tp_queue_extras>{"marked", "packets", "marked CE instead of lost",
                             &tp_queue_extras::marked},
    Counter<tp_queue_extras>{"flows_added", "flows", "new in the flow table",
                             &tp_queue_extras::flows_added},
    Counter<tp_queue_extras>{"flows_evicted", "flows", "removed to make room for new ones",
                             &tp_queue_extras::flows_evicted},
    Counter<tp_queue_extras>{"checksums_completed", "packets",
                             "whose sender had left the transport checksum to the NIC",
                             &tp_queue_extras::checksums_completed},
};

// Counters of a rule. With the prefix "retired_": of the rules that a reload removed.
inline constexpr std::array kRuleCounters = {
    Counter<RuleSnapshot>{"matched", "packets", "matched by the rule", &RuleSnapshot::matched},
    Counter<RuleSnapshot>{"lost", "packets", "lost by the rule's loss model", &RuleSnapshot::lost},
    Counter<RuleSnapshot>{"marked", "packets", "marked CE instead of lost", &RuleSnapshot::marked},
    Counter<RuleSnapshot>{"to_send", "packets", "not lost, and to be sent by the rule's action",
                          &RuleSnapshot::to_send},
    Counter<RuleSnapshot>{"to_pass", "packets", "not lost, and to be passed to the kernel",
                          &RuleSnapshot::to_pass},
    Counter<RuleSnapshot>{"denied", "packets",
                          "not lost, but dropped or not answered by the action",
                          &RuleSnapshot::denied},
};

// Counters of a run's reloads, shown before the retired rules.
inline constexpr std::array kReloadCounters = {
    Counter<ReloadSnapshot>{"done", "reloads", "policies loaded", &ReloadSnapshot::done},
    Counter<ReloadSnapshot>{"rejected", "reloads", "policies rejected", &ReloadSnapshot::rejected},
    Counter<ReloadSnapshot>{"longest_switch_ns", "ns", "longest time of a worker for one reload",
                            &ReloadSnapshot::longest_switch_ns, true},
};

// Counters of an lcore's loop.
inline constexpr std::array kLcoreTurns = {
    Counter<LcoreSnapshot>{"turns", "turns", "of the worker's loop", &LcoreSnapshot::turns},
    Counter<LcoreSnapshot>{"idle_turns", "turns", "in which no queue had a packet",
                           &LcoreSnapshot::idle_turns},
    Counter<LcoreSnapshot>{"packets", "packets", "received by all its queues",
                           &LcoreSnapshot::packets},
};

// Counters of an lcore's sleep.
inline constexpr std::array kLcoreSleeps = {
    Counter<LcoreSnapshot>{"sleeps", "sleeps", "times it went to sleep", &LcoreSnapshot::sleeps},
    Counter<LcoreSnapshot>{"slept_us", "us", "spent asleep", &LcoreSnapshot::slept_us},
};

// The packet buffers of a NUMA node.
inline constexpr std::array kMempoolCounters = {
    Counter<MempoolSnapshot>{"mbufs", "mbufs", "in the pool", &MempoolSnapshot::mbufs, true},
    Counter<MempoolSnapshot>{"free_mbufs", "mbufs", "not in use", &MempoolSnapshot::free, true},
};

// Counters of a fault.
inline constexpr std::array kFaultCounters = {
    Counter<FaultSnapshot>{"times", "times", "it began", &FaultSnapshot::times},
    Counter<FaultSnapshot>{"last_ms", "ms", "of the last one, so far", &FaultSnapshot::last_ms,
                           true},
    Counter<FaultSnapshot>{"total_ms", "ms", "of all together", &FaultSnapshot::total_ms},
};

// Bytes of the members that `list` names.
template <typename List>
constexpr size_t CounterBytes(const List& list) {
  size_t bytes = 0;
  for (const auto& counter : list) bytes += counter.member.index() == 0 ? sizeof(tp_count) : 8;
  return bytes;
}

constexpr bool VerdictsAreInOrder() {
  for (size_t i = 0; i < kVerdicts.size(); i++)
    if (kVerdicts[i].verdict != static_cast<int>(i)) return false;
  return true;
}
static_assert(VerdictsAreInOrder());

// These fail if a list forgets a member: the listed and the other members must fill each struct.
static_assert(sizeof(tp_queue_counters) == CounterBytes(kQueueCounters) +
                                               sizeof(tp_queue_counters::verdict) +
                                               sizeof(tp_queue_counters::tx));
static_assert(sizeof(tp_queue_extras) == CounterBytes(kQueueExtras));
static_assert(sizeof(RuleSnapshot) ==
              sizeof(std::string) + CounterBytes(kRuleCounters) + sizeof(RuleSnapshot::unanswered));
static_assert(sizeof(ReloadSnapshot) == CounterBytes(kReloadCounters) + sizeof(RuleSnapshot));
static_assert(sizeof(LcoreSnapshot) == 2 * sizeof(uint32_t) + CounterBytes(kLcoreTurns) +
                                           sizeof(std::string) + CounterBytes(kLcoreSleeps));
static_assert(sizeof(MempoolSnapshot) == 8 /* node */ + CounterBytes(kMempoolCounters));
static_assert(sizeof(FaultSnapshot) ==
              2 * sizeof(std::string) + 8 /* active */ + CounterBytes(kFaultCounters));

// Returns the name of `verdict` ("tx"), or "unknown".
constexpr const char* VerdictName(tp_verdict verdict) {
  return verdict < TP_VERDICTS ? kVerdicts[verdict].name : "unknown";
}

// Calls `visit(field, number)` for every number of `row` that `list` names, in order: two for a
// tp_count. `number` is a reference into `row`, which may be const.
template <typename Row, typename List, typename Visit>
void ForEachNumber(Row& row, const List& list, const Visit& visit) {
  for (const auto& counter : list) {
    const std::string name = counter.name;
    const auto visit_member = [&](auto member) {
      auto& value = row.*member;
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, tp_count>) {
        visit(name + "_packets", value.packets);
        visit(name + "_bytes", value.bytes);
      } else {
        visit(name, value);
      }
    };
    std::visit(visit_member, counter.member);
  }
}

// Copies counters while their writer may change them. Each 64-bit word is read atomically; the
// words are not read at the same moment.
template <typename T>
T CopyCounters(const T& from) {
  static_assert(sizeof(T) % sizeof(uint64_t) == 0);
  T to;
  const auto* source = reinterpret_cast<const tp_u64_alias*>(&from);
  auto* target = reinterpret_cast<tp_u64_alias*>(&to);
  for (size_t i = 0; i < sizeof(T) / sizeof(uint64_t); i++)
    target[i] = __atomic_load_n(&source[i], __ATOMIC_RELAXED);
  return to;
}

}  // namespace twinpath

#endif  // TWINPATH_TELEMETRY_COUNTERS_H_
