// SPDX-License-Identifier: BSD-3-Clause
// The worker's loop: receive, decide, transmit, free in bulk. This file has the loop and the way of
// frames whose headers cannot change the verdict; worker_headers.cc has the other. Runs on one
// lcore; Create and the destructor on the control thread.

#include "src/dpdk/worker/worker.h"

#include <rte_ethdev.h>
#include <rte_pause.h>

#include <algorithm>
#include <set>
#include <utility>

#include "src/dpdk/worker/idle_wait.h"
#include "src/dpdk/worker/transmit.h"

namespace twinpath {
namespace {

constexpr uint64_t kGrant = 1024;  // packets of the budget taken at once

}  // namespace

absl::StatusOr<std::unique_ptr<Worker>> Worker::Create(const CompiledPolicy& policy,
                                                       const PolicyTables& tables,
                                                       const std::vector<QueueSpec>& queues,
                                                       const Options& options) {
  std::unique_ptr<Worker> worker(new Worker(options, policy));
  for (const QueueSpec& spec : queues) {
    auto queue = std::make_unique<Queue>();
    queue->port = static_cast<uint8_t>(spec.port);
    queue->queue = spec.queue;
    queue->rx = spec.rx;
    queue->to_kernel_there = spec.to_kernel.has_value();
    queue->to_kernel = spec.to_kernel.value_or(QueueEnd{});
    queue->from_kernel_there = spec.from_kernel.has_value();
    queue->from_kernel = spec.from_kernel.value_or(QueueEnd{});
    std::copy(spec.tx.begin(), spec.tx.end(), queue->tx);
    absl::Status filled =
        FillPolicy(policy, tables, options.flows, options.node, queue.get(), queue.get());
    if (!filled.ok()) return filled;
    worker->queues_.push_back(std::move(queue));
  }
  return worker;
}

Worker::~Worker() {
  FreeDrops();
  for (auto& queue : queues_) FreeFrames(queue->held_frames + queue->held_at, queue->held);
}

void Worker::Run(std::atomic<bool>* stop, rte_rcu_qsbr* quiescence, unsigned id) {
  if (idle_ != nullptr) return RunAdaptive(stop, quiescence, id);
  do {
    for (uint64_t turn = 0; turn < kHousekeepingTurns; turn++) Turn();
    TakeOffer();
    TakeDetours();
    rte_rcu_qsbr_quiescent(quiescence, id);
  } while (Housekeep(stop));
  rte_rcu_qsbr_thread_offline(quiescence, id);
}

// Everything that no packet should wait for. False: the run is over.
bool Worker::Housekeep(std::atomic<bool>* stop) {
  if (budget_ != nullptr) {
    if (turn_counters_.packets == packets_at_housekeeping_ && grant_ != 0) {
      budget_->GiveBack(std::exchange(grant_, 0));
    }
    budget_->Spend(std::exchange(unspent_, 0));
    if (budget_->spent()) stop->store(true, std::memory_order_relaxed);
  }
  packets_at_housekeeping_ = turn_counters_.packets;
  return !stop->load(std::memory_order_relaxed);
}

// Devices of ports came or went.
void Worker::TakeDetours() {
  const uint32_t ports = diverting_.load(std::memory_order_acquire);
  if (TP_LIKELY(ports == 0)) return;
  for (uint32_t port = 0; port < TP_MAX_PORTS; port++) {
    if ((ports >> port & 1) == 0) continue;
    const std::vector<QueueEnd>& ends = detours_[port]->ends;
    for (auto& queue : queues_) {
      queue->tx[port] = ends[queue->queue];
      if (queue->port != port) continue;
      const uint16_t left = std::exchange(queue->rx, ends[queue->queue]).ethdev;
      if (idle_ != nullptr) idle_->Leave(left);
    }
    if (idle_ != nullptr) ListenTo(*detours_[port]);
  }
  diverting_.fetch_and(~ports, std::memory_order_release);
}

// Lets frames that come from there wake it, if they can.
void Worker::ListenTo(const Detour& detour) {
  if (detour.sockets.empty()) return;
  for (const auto& queue : queues_)
    if (queue->port == detour.port) idle_->Add({queue->rx, detour.sockets[queue->queue]});
}

void Worker::Turn() {
  uint64_t received = 0;
  for (auto& pointer : queues_) {
    Queue& queue = *pointer;
    uint32_t count = TP_LIKELY(budget_ == nullptr)
                         ? rte_eth_rx_burst(queue.rx.ethdev, queue.rx.queue, frames_, burst_)
                         : ReceiveGranted(queue);
    if (count != 0) {
      received += count;
      if (queue.tier == TP_TIER_BLIND)
        DecideUnseen(queue, count);
      else if (TP_LIKELY(queue.tier == TP_TIER_HEADERS))
        DecideByHeaders(queue, count);
      else
        DecideAny(queue, count);
      // A burst's worth at a time: with little loss, that is once in many bursts.
      if (n_drops_ >= burst_) FreeDrops();
    }
    if (queue.from_kernel_there) FromKernel(queue);
  }
  turn_counters_.turns++;
  turn_counters_.packets += received;
  if (received == 0) {
    FreeDrops();
    turn_counters_.idle_turns++;
    rte_pause();
  }
}

// Receives into frames_ no more than the budget grants. What the device gave beyond that is held:
// it counts as received only when it is granted.
uint32_t Worker::ReceiveGranted(Queue& queue) {
  if (queue.held == 0) {
    queue.held = rte_eth_rx_burst(queue.rx.ethdev, queue.rx.queue, queue.held_frames, burst_);
    queue.held_at = 0;
    if (queue.held == 0) return 0;
  }
  if (grant_ < queue.held) grant_ += budget_->Take(kGrant);
  uint32_t count = static_cast<uint32_t>(std::min<uint64_t>(grant_, queue.held));
  std::copy_n(queue.held_frames + queue.held_at, count, frames_);
  queue.held_at += count;
  queue.held -= count;
  grant_ -= count;
  unspent_ += count;
  return count;
}

// The whole burst meets one rule: its fates are drawn at once, and no frame is looked into.
void Worker::DecideUnseen(Queue& queue, uint32_t count) {
  tp_state* state = &queue.states[queue.fallback];
  uint64_t bytes = FrameBytes(frames_, count);
  tp_count_add(&queue.counters.rx, count, bytes);
  state->matched_bytes += bytes;
  uint64_t fates = tp_lose_run(&queue.decision, state, count);
  if (fates != 0) {
    rte_mbuf** lost = drops_ + n_drops_;
    uint32_t kept = PartitionByMask(frames_, count, fates, lost);
    uint64_t lost_bytes = FrameBytes(lost, count - kept);
    tp_count_add(&queue.counters.verdict[TP_LOST], count - kept, lost_bytes);
    state->lost_packets += count - kept;
    state->lost_bytes += lost_bytes;
    n_drops_ += count - kept;
    count = kept;
    bytes -= lost_bytes;
    if (count == 0) return;
  }
  if (state->terms.action == TP_ACTION_DROP) {
    tp_count_add(&queue.counters.verdict[TP_DENIED], count, bytes);
    std::copy_n(frames_, count, drops_ + n_drops_);
    n_drops_ += count;
  } else if (state->terms.action == TP_ACTION_PASS) {
    Pass(queue, frames_, count, bytes);
  } else {
    uint8_t out_port = state->terms.out_port;
    if (state->terms.action == TP_ACTION_REFLECT) {
      out_port = queue.port;
      count = ReflectAll(queue, count, &bytes);
    }
    Transmit(queue, out_port, frames_, count, bytes);
  }
}

// Swaps the MAC addresses of frames_. Those too short for it are malformed and leave the burst;
// returns how many stay and takes the others' octets off *bytes.
uint32_t Worker::ReflectAll(Queue& queue, uint32_t count, uint64_t* bytes) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    rte_mbuf* frame = frames_[i];
    uint8_t* data = rte_pktmbuf_mtod(frame, uint8_t*);
    if (TP_LIKELY(frame->data_len >= 16)) {
      ReflectLong(data);
    } else if (tp_reflect(data, data + frame->data_len) != 0) {
      tp_count_add(&queue.counters.verdict[TP_MALFORMED], 1, frame->pkt_len);
      *bytes -= frame->pkt_len;
      Drop(frame);
      continue;
    }
    frames_[kept++] = frame;
  }
  return kept;
}

// Sends `count` frames of `bytes` octets by `out_port`; what is not taken is counted and dropped.
void Worker::Transmit(Queue& queue, uint8_t out_port, rte_mbuf** frames, uint32_t count,
                      uint64_t bytes) {
  uint32_t sent = Send(queue.tx[out_port], frames, count);
  if (TP_UNLIKELY(sent < count)) {
    bytes -= Refused(queue, frames + sent, count - sent);
    queue.refused[out_port] += count - sent;
  }
  tp_count_add(&queue.counters.tx[out_port], sent, bytes);
}

// Hands frames to the kernel. Where there is none behind the port, they end here.
void Worker::Pass(Queue& queue, rte_mbuf** frames, uint32_t count, uint64_t bytes) {
  uint32_t sent = count;
  if (queue.to_kernel_there) {
    sent = Send(queue.to_kernel, frames, count);
    if (TP_UNLIKELY(sent < count)) bytes -= Refused(queue, frames + sent, count - sent);
  } else {
    std::copy_n(frames, count, drops_ + n_drops_);
    n_drops_ += count;
  }
  tp_count_add(&queue.counters.verdict[TP_PASS], sent, bytes);
}

// Counts and drops what a TX queue would not take; returns its octets.
uint64_t Worker::Refused(Queue& queue, rte_mbuf** frames, uint32_t count) {
  uint64_t bytes = FrameBytes(frames, count);
  tp_count_add(&queue.counters.verdict[TP_TX_FULL], count, bytes);
  std::copy_n(frames, count, drops_ + n_drops_);
  n_drops_ += count;
  return bytes;
}

// What the kernel sends into the exception port leaves by the port itself. The policy is for what
// comes in, so it does not apply.
void Worker::FromKernel(Queue& queue) {
  uint32_t count =
      rte_eth_rx_burst(queue.from_kernel.ethdev, queue.from_kernel.queue, frames_, burst_);
  if (count == 0) return;
  uint64_t bytes = FrameBytes(frames_, count);
  tp_count_add(&queue.kernel.rx, count, bytes);
  uint32_t sent = Send(queue.tx[queue.port], frames_, count);
  if (sent < count) {
    uint64_t refused = FrameBytes(frames_ + sent, count - sent);
    tp_count_add(&queue.kernel.tx_full, count - sent, refused);
    bytes -= refused;
    FreeFrames(frames_ + sent, count - sent);
  }
  tp_count_add(&queue.kernel.tx, sent, bytes);
}

}  // namespace twinpath
