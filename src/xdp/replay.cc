// SPDX-License-Identifier: BSD-3-Clause
// Runs programs by BPF_PROG_TEST_RUN, and reads the verdict from the counters.

#include "src/xdp/replay.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/xdp/attach/preflight.h"
#include "src/xdp/program/snapshot.h"

namespace twinpath {
namespace {

// The longest frame that the kernel's test run accepts in one piece: a page without its headroom
// (256) and the skb_shared_info at its end (320).
constexpr size_t kOnePiece = 4096 - 256 - 320;
constexpr size_t kEthernetHeader = 14;

// The XDP action for a verdict.
uint32_t ActionOf(tp_verdict verdict, bool same_port) {
  if (verdict == TP_PASS) return XDP_PASS;
  if (verdict == TP_TX) return same_port ? XDP_TX : XDP_REDIRECT;
  return XDP_DROP;
}

}  // namespace

absl::StatusOr<std::unique_ptr<XdpReplay>> XdpReplay::Create(const CompiledPolicy& policy,
                                                             uint32_t queues, XdpFrames frames,
                                                             uint64_t flow_memory,
                                                             uint32_t completes) {
  if (absl::Status mounted = CheckXdpMounts(); !mounted.ok()) return mounted;
  std::unique_ptr<XdpReplay> replay(new XdpReplay);
  auto thread = NamespaceThread::Start();
  if (!thread.ok()) return thread.status();
  replay->thread_ = *std::move(thread);
  absl::Status status;
  replay->thread_->Run(
      [&] { status = replay->SetUp(policy, queues, frames, flow_memory, completes); });
  if (!status.ok()) return status;
  return replay;
}

absl::Status XdpReplay::SetUp(const CompiledPolicy& policy, uint32_t queues, XdpFrames frames,
                              uint64_t flow_memory, uint32_t completes) {
  std::vector<uint32_t> indexes;
  for (size_t i = 0; i < policy.ports.size(); i++) {
    auto index = MakeVeth(absl::StrCat("port", i), queues);
    if (!index.ok()) return index.status();
    indexes.push_back(*index);
  }
  auto run = XdpRun::Create(
      policy, OutPorts(policy.ports, indexes, std::vector<bool>(indexes.size(), true)),
      {.queues = std::vector<uint32_t>(policy.ports.size(), queues),
       .flow_memory = flow_memory,
       .reloadable = false,
       .clock_given = true,
       .completes = completes});
  if (!run.ok()) return run.status();
  run_ = *std::move(run);
  for (size_t i = 0; i < policy.ports.size(); i++) {
    ports_.emplace_back();
    ports_[i].interface_index = indexes[i];
    for (auto kind : {frames, XdpFrames::kFragments}) {
      auto program = run_->Program(i, kind);
      if (!program.ok()) return program.status();
      ports_[i].programs.push_back(*program);
    }
    seen_.emplace_back(queues);
    for (Seen& seen : seen_.back()) seen.matched.resize(run_->streams().states(i, 0).size());
  }
  return absl::OkStatus();
}

XdpReplay::TestRun XdpReplay::Feed(size_t port, uint32_t queue, absl::Span<const uint8_t> frame) {
  const bool one_piece = frame.size() <= kOnePiece;
  std::vector<uint8_t> in(frame.begin(), frame.end());
  // A frame without a whole Ethernet header is padded after data_end. Fragments would be there,
  // which the program for frames in one piece does not read.
  in.resize(std::max(in.size(), kEthernetHeader));
  TestRun run;
  run.bytes.resize(in.size());
  xdp_md context = {}, after = {};
  context.data_end = static_cast<uint32_t>(one_piece ? frame.size() : in.size());
  context.ingress_ifindex = ports_[port].interface_index;
  context.rx_queue_index = queue;
  bpf_test_run_opts options = {.sz = sizeof(options),
                               .data_in = in.data(),
                               .data_out = run.bytes.data(),
                               .data_size_in = static_cast<uint32_t>(in.size()),
                               .data_size_out = static_cast<uint32_t>(run.bytes.size()),
                               .ctx_in = &context,
                               .ctx_out = &after,
                               .ctx_size_in = sizeof(context),
                               .ctx_size_out = sizeof(after),
                               .repeat = 1};
  const int program = ports_[port].programs[one_piece ? 0 : 1];
  run.error = -bpf_prog_test_run_opts(program, &options);
  run.action = options.retval;
  run.bytes.resize(frame.size());
  return run;
}

absl::StatusOr<FrameEffects> XdpReplay::Run(size_t port, uint32_t queue,
                                            absl::Span<const uint8_t> frame) {
  if (frame.size() > kMaxFrame)
    return absl::InvalidArgumentError(
        absl::StrCat("found a frame of ", frame.size(), " bytes, allowed ", kMaxFrame));
  TestRun run;
  thread_->Run([&] { run = Feed(port, queue, frame); });
  if (run.error && frame.size() < kEthernetHeader)
    return absl::UnimplementedError(
        absl::StrCat("this kernel's BPF_PROG_TEST_RUN refuses a frame of ", frame.size(),
                     " bytes: ", std::strerror(run.error)));
  if (run.error)
    return absl::InternalError(
        absl::StrCat("BPF_PROG_TEST_RUN of ", frame.size(), " bytes: ", std::strerror(run.error)));
  return Interpret(port, queue, std::move(run));
}

absl::StatusOr<FrameEffects> XdpReplay::Interpret(size_t port, uint32_t queue, TestRun run) {
  Seen& seen = seen_[port][queue];
  const tp_queue_counters now = run_->counters().Of(port, queue);
  const tp_queue_counters before = std::exchange(seen.counters, now);
  std::optional<FrameEffects> found;
  size_t changes = 0;
  for (int verdict = 0; verdict < TP_VERDICTS; verdict++) {
    if (now.verdict[verdict].packets == before.verdict[verdict].packets) continue;
    found = FrameEffects::Of(static_cast<tp_verdict>(verdict));
    changes += now.verdict[verdict].packets - before.verdict[verdict].packets;
  }
  for (uint32_t out = 0; out < TP_MAX_PORTS; out++) {
    if (now.tx[out].packets == before.tx[out].packets) continue;
    found = FrameEffects::Of(TP_TX, TP_NO_RULE, out);
    changes += now.tx[out].packets - before.tx[out].packets;
  }
  if (changes != 1 || now.rx.packets != before.rx.packets + 1 ||
      run.action != ActionOf(found->verdict(), found->out_port() == port))
    return absl::InternalError(absl::StrCat("for one frame the program counted ", changes,
                                            " verdicts and ", now.rx.packets - before.rx.packets,
                                            " received frames, and returned action ", run.action));
  // The matching rule is the one whose stream has one packet more.
  const absl::Span<const tp_state> states = run_->streams().states(port, queue);
  for (size_t i = 0; i < states.size(); i++) {
    const uint64_t matched = tp_count_load(&states[i].n);
    if (matched == seen.matched[i]) continue;
    seen.matched[i] = matched;
    found->effects.rule = states[i].rule;
    break;
  }
  const uint64_t completed = run_->counters().Extras(port, queue).checksums_completed;
  if (std::exchange(seen.checksums_completed, completed) != completed)
    found->effects.flags |= TP_EFFECT_COMPLETE;
  if (found->leaves()) found->bytes = std::move(run.bytes);
  return *std::move(found);
}

Snapshot XdpReplay::TakeSnapshot() const {
  Snapshot snapshot;
  snapshot.path = "xdp";
  for (size_t i = 0; i < ports_.size(); i++)
    AppendPort(*run_, i,
               {.name = run_->policy().ports[i],
                .device = "BPF_PROG_TEST_RUN",
                .driver = "veth",
                .mode = "replay",
                .why = "",
                .queues = 0,
                .extra = {}},
               &snapshot);
  return snapshot;
}

}  // namespace twinpath
