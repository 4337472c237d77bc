// SPDX-License-Identifier: BSD-3-Clause
// Compares counters, which other threads write, with their values at the previous look.

#include "src/dpdk/recover/fault_watcher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/dpdk/quirks/tap_wake.h"
#include "src/kernel/link/link_setup.h"
#include "src/policy/count.h"
#include "src/telemetry/counters.h"
#include "src/telemetry/setup_faults.h"

namespace twinpath {
namespace {

// A longer gap between two looks means that this thread, or the whole process, was stopped. Nothing
// is known about the workers then.
constexpr std::chrono::milliseconds kOwnPause{500};

// "lan/0, wan/0"
std::string QueuesOf(const Worker& worker, const std::vector<Port>& ports) {
  std::string names;
  for (const auto& queue : worker.queues())
    absl::StrAppend(&names, names.empty() ? "" : ", ", ports[queue->port].name(), "/",
                    queue->queue);
  return names;
}

}  // namespace

uint32_t FreeMbufs(const Mempool& mempool) {
  const rte_mempool* pool = mempool.get();
  uint64_t free = rte_mempool_avail_count(pool);
  for (unsigned lcore = 0; pool->cache_size != 0 && lcore < RTE_MAX_LCORE; lcore++)
    free -= std::min<uint64_t>(free, pool->local_cache[lcore].len);
  return static_cast<uint32_t>(free);
}

FaultWatcher::FaultWatcher(const Watched& watched, FaultLedger* ledger, Clock::time_point now)
    : watched_(watched),
      ledger_(ledger),
      last_(now),
      turns_(watched.workers.size(), {0, now}),
      taken_(watched.ports.size(), {0, now}),
      refused_(watched.ports.size()),
      too_long_(watched.ports.size()) {}

void FaultWatcher::Look(Clock::time_point now) {
  if (now - last_ > kOwnPause) {
    for (Pulse& pulse : turns_) pulse.since = now;
    for (Pulse& pulse : taken_) pulse.since = now;
  }
  last_ = now;
  LookAtWorkers(now);
  LookAtPorts(now);
  LookAtMempools(now);
  if (now >= next_setup_look_) LookAtSetups(now);
  ledger_->Tick(now);
}

void FaultWatcher::LookAtWorkers(Clock::time_point now) {
  for (size_t w = 0; w < turns_.size(); w++) {
    const std::string subject = absl::StrCat("lcore ", watched_.lcores[w]);
    const uint64_t turns = CopyCounters(watched_.workers[w]->turn_counters()).turns;
    if (std::exchange(turns_[w].value, turns) != turns) {
      turns_[w].since = now;
      ledger_->Set(subject, "stalled", false, "worker runs again", now);
    } else if (now - turns_[w].since >= kPatience) {
      ledger_->Begin(subject, "stalled",
                     absl::StrCat("worker stalled for ", Seconds(now - turns_[w].since),
                                  " (queues ", QueuesOf(*watched_.workers[w], watched_.ports),
                                  "); other workers are unaffected"),
                     turns_[w].since, now);
    }
  }
}

void FaultWatcher::LookAtPorts(Clock::time_point now) {
  for (size_t p = 0; p < taken_.size(); p++) {
    const std::string subject = absl::StrCat("port ", watched_.ports[p].name());
    const std::string link = watched_.ports[p].Link();
    watched_.ports[p].UpdateMtu();
    if (link != kLinkGone)
      ledger_->Set(subject, "link_down", link == kLinkDown, absl::StrCat("link ", link), now);
    uint64_t taken = 0, refused = 0;
    for (const auto& worker : watched_.workers) {
      for (const auto& queue : worker->queues()) {
        taken += tp_count_load(&queue->counters.tx[p].packets);
        refused += tp_count_load(&queue->refused[p]);
      }
    }
    const bool grew = std::exchange(taken_[p].value, taken) != taken;
    const bool offered = std::exchange(refused_[p], refused) != refused;
    if (grew) ledger_->Set(subject, "tx_blocked", false, "TX takes frames again", now);
    if (grew || link != kLinkUp) {
      taken_[p].since = {};
    } else if (offered) {
      if (taken_[p].since == Clock::time_point()) taken_[p].since = last_;
      if (now - taken_[p].since >= kPatience) {
        ledger_->Begin(
            subject, "tx_blocked",
            "TX takes no frames; packets for it count as tx_full; other ports are unaffected",
            taken_[p].since, now);
      }
    }
  }
}

void FaultWatcher::LookAtSetups(Clock::time_point now) {
  next_setup_look_ = now + kSetupInterval;
  for (const Port& port : watched_.ports) port.SetSetupFaults(ledger_, now);
  for (size_t p = 0; p < too_long_.size(); p++) LookAtLength(p, now);
}

void FaultWatcher::LookAtLength(size_t port, Clock::time_point now) {
  uint64_t too_long = 0;
  for (const auto& worker : watched_.workers) {
    for (const auto& queue : worker->queues()) {
      too_long += tp_count_load(&queue->too_long[port]);
      if (queue->port == port) too_long += tp_count_load(&queue->kernel.too_long);
    }
  }
  const Port& out = watched_.ports[port];
  SetTooLong(absl::StrCat("port ", out.name()), out.SendsBy(), out.mtu(),
             std::exchange(too_long_[port], too_long) != too_long, ledger_, now);
}

void FaultWatcher::LookAtMempools(Clock::time_point now) {
  for (const auto& [node, mempool] : watched_.mempools) {
    uint64_t no_mbuf = 0;
    for (const Port& port : watched_.ports)
      if (port.mempool() == mempool.get()) no_mbuf += port.NoMbuf();
    const uint64_t before = std::exchange(no_mbuf_[node], no_mbuf);
    const uint32_t free = FreeMbufs(mempool);
    const bool dry = free < watched_.burst || no_mbuf > before;
    const bool changed = ledger_->Set(
        absl::StrCat("mempool ", node), "mempool_dry", dry,
        dry ? absl::StrCat("exhausted, ", free, " of ", mempool.get()->size,
                           " mbufs free; frames without an mbuf count as "
                           "device_rx_no_mbuf_packets, or wait in the ports' rings")
            : absl::StrCat("recovered, ", free, " of ", mempool.get()->size, " mbufs free"),
        now);
    if (changed && !dry) WakeTaps();
  }
}

}  // namespace twinpath
