// SPDX-License-Identifier: BSD-3-Clause
// Builds rings around a worker, feeds frames to it, and reads the results. One thread.

#include "src/dpdk/replay/replay.h"

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/dpdk/quirks/stderr_capture.h"
#include "src/dpdk/replay/replay_eal.h"

namespace twinpath {
namespace {

constexpr uint32_t kMbufs = 4095;          // two bursts of the largest frames
constexpr uint32_t kRingSlots = 128;       // two bursts
constexpr uint32_t kQueuesPerEthdev = 16;  // net_ring has at most this many

}  // namespace

void DpdkReplay::RingFree::operator()(rte_ring* ring) const { rte_ring_free(ring); }

absl::StatusOr<std::unique_ptr<DpdkReplay>> DpdkReplay::Create(const CompiledPolicy& policy,
                                                               uint32_t queues,
                                                               uint64_t flow_memory,
                                                               uint32_t completes) {
  if (policy.ports.size() * queues > kMaxQueues)
    return absl::InvalidArgumentError(
        absl::StrCat("--queues: found ", queues, " queues on each of ", policy.ports.size(),
                     " ports, allowed ", kMaxQueues, " over all ports"));
  absl::Status eal = StartReplayEal();
  if (!eal.ok()) return eal;
  std::unique_ptr<DpdkReplay> replay(new DpdkReplay(policy, queues, flow_memory, completes));
  absl::Status done = replay->SetUp();
  if (!done.ok()) return done;
  return replay;
}

DpdkReplay::~DpdkReplay() = default;

absl::Status DpdkReplay::SetUp() {
  static std::atomic<uint32_t> serials = 0;
  serial_ = serials++;
  auto mempool = Mempool::Create(
      absl::StrCat("tp", serial_),
      {.mbufs = kMbufs, .cache = kMaxBurst, .data_room = RTE_MBUF_DEFAULT_BUF_SIZE}, SOCKET_ID_ANY);
  if (!mempool.ok()) return mempool.status();
  mempool_.emplace(*std::move(mempool));
  for (auto* ports : {&ports_, &kernels_}) {
    for (size_t p = 0; p < policy_.ports.size(); p++) {
      auto port = MakePort(absl::StrCat("tp", serial_, ports == &ports_ ? "p" : "k", p));
      if (!port.ok()) return port.status();
      ports->push_back(*std::move(port));
    }
  }
  absl::Status added = AddEthdevs();
  if (!added.ok()) return added;
  auto tables = PolicyTables::Create(policy_, SOCKET_ID_ANY);
  if (!tables.ok()) return tables.status();
  tables_.emplace(*std::move(tables));

  if (policy_.has_flows) {
    // Uses the locks as in a real run, although one thread serves all queues here.
    auto flows = FlowTable::Create(FlowTableWithin(flow_memory_), SOCKET_ID_ANY, false);
    if (!flows.ok()) return flows.status();
    flows_.emplace(*std::move(flows));
  }

  std::vector<QueueSpec> specs;
  for (uint32_t q = 0; q < queues_; q++) {
    for (uint32_t p = 0; p < ports_.size(); p++) {
      QueueSpec spec = {
          .port = p, .queue = q, .rx = ports_[p].ends[q], .to_kernel = kernels_[p].ends[q]};
      // completes_to_kernel stays false: XDP passes frames with unfinished checksums, too.
      spec.completes = (completes_ >> p & 1) != 0;
      for (const RingPort& out : ports_) spec.tx.push_back(out.ends[q]);
      specs.push_back(std::move(spec));
    }
  }
  auto worker = Worker::Create(policy_, *tables_, specs,
                               {.burst = kMaxBurst,
                                .node = SOCKET_ID_ANY,
                                .flows = flows_.has_value() ? flows_->get() : nullptr,
                                .clock = &clock_});
  if (!worker.ok()) return worker.status();
  worker_ = *std::move(worker);
  matched_.assign(specs.size(), std::vector<uint64_t>(policy_.rules.size(), 0));
  return absl::OkStatus();
}

absl::StatusOr<DpdkReplay::RingPort> DpdkReplay::MakePort(const std::string& name) const {
  RingPort port;
  for (auto* rings : {&port.in, &port.out}) {
    for (uint32_t q = 0; q < queues_; q++) {
      const std::string ring = absl::StrCat(name, rings == &port.in ? "i" : "o", q);
      rings->emplace_back(
          rte_ring_create(ring.c_str(), kRingSlots, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ));
      if (rings->back() == nullptr)
        return absl::ResourceExhaustedError(
            absl::StrCat("rte_ring_create of ", ring, ": ", rte_strerror(rte_errno)));
    }
  }
  return port;
}

// Packs the rings of all ports into as few ethdevs as possible, because EAL has only 32.
absl::Status DpdkReplay::AddEthdevs() {
  std::vector<std::pair<RingPort*, uint32_t>> left;  // the queues without an ethdev
  for (auto* ports : {&ports_, &kernels_})
    for (RingPort& port : *ports)
      for (uint32_t q = 0; q < queues_; q++) left.emplace_back(&port, q);
  for (size_t first = 0; first < left.size(); first += kQueuesPerEthdev) {
    const auto count =
        static_cast<uint16_t>(std::min<size_t>(kQueuesPerEthdev, left.size() - first));
    std::array<rte_ring*, kQueuesPerEthdev> in = {}, out = {};
    for (uint16_t i = 0; i < count; i++) {
      auto [port, q] = left[first + i];
      in[i] = port->in[q].get();
      out[i] = port->out[q].get();
    }
    const std::string device = absl::StrCat("tp", serial_, "_", first);
    if (rte_eth_from_rings(device.c_str(), in.data(), count, out.data(), count, 0) < 0) {
      return absl::ResourceExhaustedError(absl::StrCat("rte_eth_from_rings of ", device, ": ",
                                                       rte_strerror(rte_errno),
                                                       StderrCapture::LastLine()));
    }
    auto ethdev = Ethdev::Adopt(absl::StrCat("net_ring_", device));
    if (!ethdev.ok()) return ethdev.status();
    absl::Status started =
        ethdev->Start({.queues = count, .promiscuous = false, .mempool = mempool_->get()});
    if (!started.ok()) return started;
    for (uint16_t i = 0; i < count; i++)
      left[first + i].first->ends.push_back({.ethdev = ethdev->port(), .queue = i});
    ethdevs_.push_back(*std::move(ethdev));
  }
  return absl::OkStatus();
}

// Copies a frame into mbufs as net_pcap does: fills the first mbuf, then the next.
absl::StatusOr<rte_mbuf*> DpdkReplay::MakeFrame(absl::Span<const uint8_t> bytes) {
  if (bytes.size() > kMaxFrame)
    return absl::InvalidArgumentError(
        absl::StrCat("found a frame of ", bytes.size(), " bytes, allowed ", kMaxFrame));
  rte_mbuf* frame = rte_pktmbuf_alloc(mempool_->get());
  rte_mbuf* last = frame;
  for (size_t at = 0; last != nullptr;) {
    const size_t part = std::min<size_t>(bytes.size() - at, rte_pktmbuf_tailroom(last));
    if (part != 0) std::memcpy(rte_pktmbuf_mtod(last, void*), bytes.data() + at, part);
    last->data_len = static_cast<uint16_t>(part);
    frame->pkt_len += static_cast<uint32_t>(part);
    at += part;
    if (at == bytes.size()) return frame;
    last->next = rte_pktmbuf_alloc(mempool_->get());
    last = last->next;
    frame->nb_segs++;
  }
  rte_pktmbuf_free(frame);
  return absl::ResourceExhaustedError("the replay's mempool is empty");
}

// Runs one turn of the worker with `frames` in its RX queue. Returns the frames that left by this
// queue.
std::vector<DpdkReplay::Left> DpdkReplay::TurnWith(size_t port, uint32_t queue,
                                                   absl::Span<rte_mbuf* const> frames) {
  rte_ring_enqueue_bulk(ports_[port].in[queue].get(), reinterpret_cast<void* const*>(frames.data()),
                        static_cast<unsigned>(frames.size()), nullptr);
  worker_->Turn();
  std::vector<Left> left;
  for (auto* ports : {&ports_, &kernels_}) {
    for (uint32_t p = 0; p < ports->size(); p++) {
      void* frame = nullptr;
      while (rte_ring_dequeue((*ports)[p].out[queue].get(), &frame) == 0) {
        left.push_back({.frame = static_cast<rte_mbuf*>(frame),
                        .verdict = ports == &ports_ ? TP_TX : TP_PASS,
                        .port = p});
      }
    }
  }
  return left;
}

namespace {

std::vector<uint8_t> Bytes(const rte_mbuf* frame) {
  std::vector<uint8_t> bytes;
  bytes.reserve(frame->pkt_len);
  for (const rte_mbuf* part = frame; part != nullptr; part = part->next) {
    const auto* data = rte_pktmbuf_mtod(part, const uint8_t*);
    bytes.insert(bytes.end(), data, data + part->data_len);
  }
  return bytes;
}

FrameEffects EffectsOf(const rte_mbuf* frame, tp_verdict verdict, uint32_t port) {
  return FrameEffects::Of(verdict, TP_NO_RULE, port, Bytes(frame));
}

// The verdict of the one packet that `after` counts more than `before`; nullopt if not exactly one.
std::optional<tp_verdict> Counted(const tp_queue_counters& before, const tp_queue_counters& after) {
  if (after.rx.packets - before.rx.packets != 1) return std::nullopt;
  std::optional<tp_verdict> found;
  uint64_t sum = 0;
  for (int v = 0; v < TP_VERDICTS; v++) {
    uint64_t more = after.verdict[v].packets - before.verdict[v].packets;
    if (v == TP_TX)
      for (int p = 0; p < TP_MAX_PORTS; p++) more += after.tx[p].packets - before.tx[p].packets;
    if (more != 0) found = static_cast<tp_verdict>(v);
    sum += more;
  }
  return sum == 1 ? found : std::nullopt;
}

// Whether the worker's effects (`decided`) agree with its counters (`counted`). If they do, copies
// the effects that counters do not show. In the blind tier there are no effects of single frames.
bool Decided(tp_tier tier, const tp_effects& decided, FrameEffects* counted) {
  if (tier == TP_TIER_BLIND) return true;
  tp_effects* effects = &counted->effects;
  if (counted->delivery != TP_DELIVERED) effects->to = decided.to;
  if (decided.rule != effects->rule || decided.fate != effects->fate || decided.to != effects->to)
    return false;
  if (tier == TP_TIER_GENERAL) *effects = decided;
  return true;
}

}  // namespace

absl::StatusOr<FrameEffects> DpdkReplay::Run(size_t port, uint32_t queue,
                                             absl::Span<const uint8_t> frame) {
  auto made = MakeFrame(frame);
  if (!made.ok()) return made.status();
  const size_t index = queue * ports_.size() + port;
  const Queue& served = *worker_->queues()[index];
  const tp_queue_counters before = served.counters;
  const uint64_t completed = served.extras.checksums_completed;
  std::vector<Left> left = TurnWith(port, queue, {&*made, 1});

  const std::optional<tp_verdict> verdict = Counted(before, served.counters);
  const bool leaves = verdict == TP_TX || verdict == TP_PASS;
  FrameEffects result;
  bool sound = verdict.has_value() && left.size() == (leaves ? 1 : 0);
  if (sound && leaves) {
    sound = left[0].frame == *made && left[0].verdict == *verdict;
    result = EffectsOf(left[0].frame, left[0].verdict, left[0].port);
  }
  for (const Left& out : left) rte_pktmbuf_free(out.frame);
  if (!sound) return absl::InternalError("the worker's counters do not show exactly one verdict");
  if (!leaves) result = FrameEffects::Of(*verdict);
  for (uint32_t rule = 0; rule < policy_.rules.size(); rule++) {
    if (served.states[rule].n == matched_[index][rule]) continue;
    matched_[index][rule] = served.states[rule].n;
    result.effects.rule = rule;
  }
  if (!Decided(served.plan.tier, worker_->effects()[0], &result))
    return absl::InternalError("the worker's effects and counters disagree");
  if (served.extras.checksums_completed != completed) result.effects.flags |= TP_EFFECT_COMPLETE;
  return result;
}

absl::StatusOr<std::vector<std::optional<FrameEffects>>> DpdkReplay::RunBurst(
    size_t port, uint32_t queue, absl::Span<const std::vector<uint8_t>> frames) {
  if (frames.empty() || frames.size() > kMaxBurst)
    return absl::InvalidArgumentError(absl::StrCat("a burst of ", frames.size(), " frames"));
  std::vector<rte_mbuf*> made;
  for (const std::vector<uint8_t>& frame : frames) {
    auto mbuf = MakeFrame(frame);
    if (!mbuf.ok()) {
      rte_pktmbuf_free_bulk(made.data(), static_cast<unsigned>(made.size()));
      return mbuf.status();
    }
    made.push_back(*mbuf);
  }
  std::vector<std::optional<FrameEffects>> left(frames.size());
  for (const Left& out : TurnWith(port, queue, made)) {
    const size_t i =
        static_cast<size_t>(std::find(made.begin(), made.end(), out.frame) - made.begin());
    if (i < made.size()) left[i] = EffectsOf(out.frame, out.verdict, out.port);
    rte_pktmbuf_free(out.frame);
  }
  const size_t index = queue * ports_.size() + port;
  for (uint32_t rule = 0; rule < policy_.rules.size(); rule++)
    matched_[index][rule] = worker_->queues()[index]->states[rule].n;
  return left;
}

Snapshot DpdkReplay::TakeSnapshot() const {
  Snapshot snapshot;
  snapshot.path = "dpdk";
  snapshot.version = TWINPATH_VERSION;
  for (const std::string& name : policy_.rule_names) snapshot.rules.push_back({.name = name});
  for (size_t p = 0; p < policy_.ports.size(); p++) {
    snapshot.ports.push_back({.name = policy_.ports[p],
                              .device = "replay",
                              .driver = "net_ring",
                              .mode = "replay",
                              .queues = queues_});
    for (uint32_t q = 0; q < queues_; q++) {
      const Queue& queue = *worker_->queues()[q * policy_.ports.size() + p];
      snapshot.queues.push_back({.port = policy_.ports[p],
                                 .queue = q,
                                 .counters = queue.counters,
                                 .extras = queue.extras});
      AddStates(queue.states.get(), policy_.rules.size(), &snapshot.rules);
      if (policy_.rule_extras)
        AddRuleExtras(queue.rule_extras.get(), policy_.rules.size(), &snapshot.rules);
    }
  }
  return snapshot;
}

}  // namespace twinpath
