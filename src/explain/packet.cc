// SPDX-License-Identifier: BSD-3-Clause
// Brings the tables of one queue to their state before this packet, decides the packet like a
// datapath, and inspects each step. Main thread.

#include "src/explain/packet.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/compile/host_datapath.h"
#include "src/config/describe/describe.h"
#include "src/config/describe/mismatch.h"
#include "src/config/policy/names.h"
#include "src/engine/checksums.h"
#include "src/explain/draws.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

class Case {
 public:
  Case(const Policy& policy, const CompiledPolicy& compiled, const ExplainRequest& request)
      : policy_(policy),
        compiled_(compiled),
        request_(request),
        plan_(compiled.plans[request.port]),
        states_(InitialStates(compiled, request.port, request.queue)),
        rule_extras_(compiled.rules.size()),
        flows_(request.before ? kDefaultFlowMemory : kMinFlowMemory, true),
        dp_(HostDatapath(compiled, request.port)),
        frame_(request.frame) {
    dp_.states = states_.data();
    dp_.rule_extras = rule_extras_.data();
    dp_.extras = &extras_;
    dp_.flows = flows_.table();
    dp_.now = request.at_ns;
  }

  absl::StatusOr<Explanation> Run() && {
    if (absl::Status status = DecideEarlierPackets(); !status.ok()) return status;
    const uint8_t* data = frame_.data();
    explanation_.reads_headers = plan_.tier != TP_TIER_BLIND;
    const int result = tp_parse(data, data + frame_.size(), Length(), Port(), &key_);
    if (explanation_.reads_headers) explanation_.unread = FindUnread(frame_);
    if (explanation_.unread && key_.flags & TP_KEY_MALFORMED)
      explanation_.malformed = explanation_.unread->about;
    explanation_.dropped = explanation_.reads_headers && tp_drops(&dp_, result);
    if (!explanation_.dropped) {
      FindRule();
      if (absl::Status status = SetUpStream(); !status.ok()) return status;
      ExplainFate({Spec(rule_).loss, Rule(), Model(), key_a_, key_b_, n_, block_markov_,
                   Rule().loss == TP_LOSS_PACKET ? PacketHash() : 0},
                  &explanation_);
    }
    Decide();
    if (absl::Status status = Agree(); !status.ok()) return status;
    ExplainMark();
    return std::move(explanation_);
  }

 private:
  uint8_t Port() const { return static_cast<uint8_t>(request_.port); }
  uint32_t Length() const { return static_cast<uint32_t>(frame_.size()); }
  bool running() const { return !request_.matched.empty(); }
  const RuleSpec& Spec(uint32_t rule) const {
    return rule < policy_.rules.size() ? policy_.rules[rule] : policy_.fallback;
  }
  const tp_rule& Rule() const { return compiled_.rules[rule_]; }
  const tp_model& Model() const { return compiled_.models[Rule().model]; }
  const tp_when& When() const { return compiled_.whens[Rule().when]; }
  uint64_t PacketHash() {
    dp_.data = frame_.data();
    dp_.end = frame_.data() + frame_.size();
    return tp_packet_hash(&dp_, &key_, Rule().key_a, Rule().key_b);
  }

  absl::Status DecideEarlierPackets() {
    if (!request_.before) return absl::OkStatus();
    std::vector<uint8_t> bytes;
    absl::Status status = request_.before([&](absl::Span<const uint8_t> frame, uint64_t at_ns) {
      bytes.assign(frame.begin(), frame.end());
      dp_.now = at_ns;
      DecideFrame(&bytes);
    });
    dp_.now = request_.at_ns;
    extras_ = {};
    return status;
  }

  // Walks the rules in the state that the earlier packets left.
  void FindRule() {
    uint64_t before = request_.number;
    for (rule_ = 0; rule_ < policy_.rules.size(); rule_++) {
      if (std::optional<Mismatch> mismatch =
              FindMismatch(Spec(rule_).match, key_, compiled_.ports)) {
        explanation_.refusals.push_back({rule_, mismatch->field, mismatch->reason});
        continue;
      }
      if (!HoldsBeforePackets()) continue;
      if (request_.before) before = states_[rule_].n;
      if (running()) before = request_.matched[rule_];
      if (!(Rule().flags & TP_RULE_COUNTED) || before < When().packets) break;
      states_[rule_].n = When().packets;
      before -= When().packets;
      Refuse("packets", absl::StrCat("it matches, but its packets on this port and queue are used "
                                     "up: ",
                                     Grouped(When().packets)));
    }
    // The default, behind all others, has a number of its own in a running program.
    n_ = request_.before ? states_[rule_].n : running() ? request_.matched[rule_] : before;
  }

  void Refuse(const char* condition, const std::string& reason) {
    explanation_.refusals.push_back({rule_, condition, reason});
  }

  // Whether the rule's share of flows and its times hold.
  bool HoldsBeforePackets() {
    const RuleSpec& spec = Spec(rule_);
    if (Rule().flags & TP_RULE_SHARE && !tp_holds_for_flow(&Rule(), &When(), &key_)) {
      Refuse("flows", absl::StrCat("it matches, but this flow is not among the ",
                                   PercentText(spec.flows->value), " of flows that it holds for"));
      return false;
    }
    if (Rule().flags & TP_RULE_TIMED && !tp_holds_now(&When(), request_.at_ns)) {
      RuleSpec timed;
      timed.active = spec.active;
      Refuse("active", absl::StrCat("it matches, but is active ", DescribeWhen(timed), ", not at ",
                                    DurationText(request_.at_ns - When().origin)));
      return false;
    }
    return true;
  }

  // Advances the packet's stream to the packet's number.
  absl::Status SetUpStream() {
    tp_state& state = states_[rule_];
    state.n = n_;
    const uint8_t loss = Rule().loss;
    if (loss != TP_LOSS_STREAM && loss != TP_LOSS_FLOW) return absl::OkStatus();
    key_a_ = loss == TP_LOSS_FLOW ? tp_flow_key(&Rule(), &key_) : state.key_a;
    key_b_ = loss == TP_LOSS_FLOW ? tp_flow_second_key(&Rule(), key_a_) : state.key_b;
    if (loss == TP_LOSS_FLOW && request_.before) n_ = Flow().n;
    if (loss == TP_LOSS_FLOW && running()) n_ = request_.flow_matched[rule_];
    const bool walks = tp_has_memory(Rule().model_kind);
    const uint64_t most = running() ? kMaxWalkedRunning : kMaxWalkedPackets;
    if (walks && n_ > most) {
      return absl::InvalidArgumentError(
          absl::StrCat("--number: found ", running() ? n_ : request_.number, ", allowed at most ",
                       most, " for a loss with memory, such as that of rule ", Spec(rule_).name));
    }
    explanation_.stream = {key_a_, key_b_, n_};
    __u64 markov = 0;
    const auto draw = [&](uint64_t number) {
      const tp_block block = {key_a_, key_b_, number};
      return tp_rule_fates(&dp_, rule_, &block, &markov);
    };
    for (uint64_t i = 0; walks && i < n_ >> 6; i++) draw(i);
    block_markov_ = markov;
    // If the packet starts a block, the decision draws the block.
    const uint64_t fates = n_ & 63 ? draw(n_ >> 6) : 0;
    if (loss == TP_LOSS_STREAM) {
      state.fates = fates;
      state.markov = static_cast<__u8>(markov);
    } else if (n_ > 0) {
      tp_flow& flow = Flow();
      flow.n = n_;
      flow.fates = fates;
      flow.markov = static_cast<__u32>(markov);
    }
    return absl::OkStatus();
  }

  // The packet's flow. Creates it if it does not exist.
  tp_flow& Flow() {
    const tp_place place = tp_flow_place(dp_.flows->size, &Rule(), key_a_);
    const uint64_t at = tp_flow_seek(&dp_, &place, 0);
    return tp_flow_bucket_at(&dp_, static_cast<uint32_t>(at / TP_TABLE_WAYS))
        ->flow[at % TP_TABLE_WAYS];
  }

  tp_effects DecideFrame(std::vector<uint8_t>* frame) {
    return HostDecide(compiled_, &dp_, frame->data(), static_cast<uint32_t>(frame->size()));
  }

  void Decide() {
    explanation_.effects.effects = DecideFrame(&frame_);
    if (request_.completes && explanation_.effects.verdict() == TP_TX)
      explanation_.completed = CompleteChecksum(frame_.data(), Length()) == Completion::kChanged;
    if (explanation_.effects.leaves()) explanation_.effects.bytes = frame_;
    explanation_.marked = extras_.marked.packets > 0;
  }

  // Checks that the explanation agrees with the decision.
  absl::Status Agree() {
    const std::optional<uint32_t> decided = explanation_.effects.rule();
    if (explanation_.dropped) {
      if (!decided && explanation_.effects.verdict() == TP_MALFORMED) return absl::OkStatus();
      return absl::InternalError(
          "the explanation drops the frame as malformed, but the decision does not");
    }
    if (!decided || *decided != rule_) {
      return absl::InternalError(absl::StrCat("the explanation leads to rule ", Spec(rule_).name,
                                              ", the decision to ",
                                              decided ? Spec(*decided).name : "none"));
    }
    const bool lost = explanation_.effects.verdict() == TP_LOST || explanation_.marked;
    if (lost == explanation_.lost) {
      if (explanation_.effects.verdict() == TP_MALFORMED && explanation_.malformed.empty())
        explanation_.malformed = "it has no Ethernet header whose MAC addresses could be swapped";
      return absl::OkStatus();
    }
    return absl::InternalError(absl::StrCat("the explanation of rule ", Spec(rule_).name,
                                            explanation_.lost ? " loses" : " spares",
                                            " the packet, but the decision does not"));
  }

  void ExplainMark() {
    if (!explanation_.lost || !(Rule().flags & TP_RULE_MARKS)) return;
    if (!(key_.flags & TP_KEY_IP)) {
      explanation_.mark = "ecn_mark: not an IP packet, so it is lost";
      return;
    }
    const uint8_t ecn = key_.dscp_ecn & 3;
    if (!explanation_.marked) {
      explanation_.mark = absl::StrCat("ecn_mark: ", *EcnName(ecn), ", so it is lost");
      return;
    }
    const size_t ip = tp_ip_offset(&key_);
    explanation_.mark = absl::StrCat("ECN ", *EcnName(ecn), " becomes ce instead");
    if (ecn == TP_ECN_CE) {
      explanation_.mark = "the packet stays ECN ce instead";
    } else if (key_.ip_version == 4) {
      absl::StrAppendFormat(&explanation_.mark, ", and the IPv4 header's checksum 0x%04x 0x%04x",
                            tp_be16(&request_.frame[ip + 10]), tp_be16(&frame_[ip + 10]));
    }
  }

  const Policy& policy_;
  const CompiledPolicy& compiled_;
  const ExplainRequest& request_;
  const tp_plan& plan_;
  std::vector<tp_state> states_;
  std::vector<tp_rule_extras> rule_extras_;
  tp_queue_extras extras_ = {};
  HostFlows flows_;
  tp_datapath dp_;

  std::vector<uint8_t> frame_;  // as it leaves, after the decision
  tp_key key_;
  uint32_t rule_ = 0;
  uint64_t n_ = 0;  // the packet's number in its stream, of the rule or of the flow
  uint64_t key_a_ = 0, key_b_ = 0, block_markov_ = 0;
  Explanation explanation_;
};

}  // namespace

absl::StatusOr<Explanation> Explain(const Policy& policy, const CompiledPolicy& compiled,
                                    const ExplainRequest& request) {
  return Case(policy, compiled, request).Run();
}

}  // namespace twinpath
