// SPDX-License-Identifier: BSD-3-Clause
// Explanations as text and as JSON. Pure functions.

#include "apps/twinpath/explain_text.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/describe/describe.h"
#include "src/config/policy/loss.h"
#include "src/parity/text.h"
#include "src/telemetry/counters.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxRefusals = 40;

const RuleSpec& SpecOf(const Policy& policy, uint32_t rule) {
  return rule < policy.rules.size() ? policy.rules[rule] : policy.fallback;
}

std::string Hex64(uint64_t number) { return absl::StrFormat("0x%016x", number); }
double Fraction(uint64_t number) { return std::ldexp(static_cast<double>(number), -64); }

std::string NumberedName(const Policy& policy, uint32_t rule) {
  const std::string number = rule < policy.rules.size() ? absl::StrCat(rule + 1, ". ") : "";
  return number + SpecOf(policy, rule).name;
}

std::string FrameText(const CompiledPolicy& compiled, const ExplainRequest& request) {
  return absl::StrCat(
      DescribeFrame(request.frame), ", ", request.frame.size(), " bytes, received by ",
      compiled.ports[request.port], ", queue ", request.queue, ", ", DurationText(request.at_ns),
      " after the start",
      request.before ? absl::StrCat(", after ", Grouped(request.number), " packets of the capture")
      : request.matched.empty() ? ""
                                : ", as the program's next packet");
}

std::string RefusalsText(const Policy& policy, const Explanation& explanation) {
  std::string text;
  const auto& refusals = explanation.refusals;
  const size_t omitted = refusals.size() > kMaxRefusals ? refusals.size() - kMaxRefusals : 0;
  if (omitted) absl::StrAppend(&text, "  ", Grouped(omitted), " rules before (--json shows why)\n");
  for (size_t i = omitted; i < refusals.size(); i++) {
    absl::StrAppend(&text, "  ", NumberedName(policy, refusals[i].rule),
                    ": no: ", refusals[i].reason, "\n");
  }
  return text;
}

// Describes the stream; empty if the packet is in none.
std::string WhoseStream(const Policy& policy, const CompiledPolicy& compiled,
                        const ExplainRequest& request, const Explanation& explanation) {
  const uint32_t rule = *explanation.effects.rule();
  const RuleSpec& spec = SpecOf(policy, rule);
  if (!explanation.stream) return "";
  if (compiled.rules[rule].loss == TP_LOSS_FLOW) {
    return absl::StrCat("the flow of ", DescribeFrame(request.frame),
                        spec.loss.bidirectional ? ", both directions" : ", this direction",
                        ", under rule ", spec.name);
  }
  return absl::StrCat("rule ", spec.name, " on port ", compiled.ports[request.port], ", queue ",
                      request.queue);
}

std::string StreamText(const std::string& whose, const Explanation& explanation) {
  if (!explanation.stream) return "";
  const Explanation::Stream& stream = *explanation.stream;
  return absl::StrCat("  stream     ", whose, "\n             keys ", Hex64(stream.key_a), " and ",
                      Hex64(stream.key_b), "\n  packet     ", Grouped(stream.n),
                      " of the stream, counted from 0\n");
}

std::string DrawText(const ExplainedDraw& draw) {
  return absl::StrCat(
      "  ", draw.decides, ": ", draw.below ? "yes" : "no", ", the draw is ",
      draw.below ? "below" : "not below", " the threshold\n    draw       ", Hex64(draw.draw),
      absl::StrFormat(" = %.6f of 1\n    threshold  ", Fraction(draw.draw)),
      draw.always
          ? "1, which is always"
          : absl::StrFormat("%s = %.6g of 1", Hex64(draw.threshold), Fraction(draw.threshold)),
      "\n");
}

std::string VerdictText(const CompiledPolicy& compiled, const Explanation& explanation) {
  const FrameEffects& effects = explanation.effects;
  std::string text = absl::StrCat("verdict: ", VerdictName(effects.verdict()));
  if (const auto out_port = effects.out_port())
    absl::StrAppend(&text, ", out of ", compiled.ports[*out_port]);
  if (explanation.marked) text += ", marked CE";
  if (effects.verdict() == TP_DENIED &&
      compiled.rules[*effects.rule()].action == TP_ACTION_REFLECT_ECHO)
    text += ", no request that the rule answers";
  return text + "\n";
}

}  // namespace

std::string ExplainText(const Policy& policy, const CompiledPolicy& compiled,
                        const ExplainRequest& request, const Explanation& explanation) {
  std::string text = FrameText(compiled, request) + "\n\n";
  if (explanation.dropped) {
    return absl::StrCat(text, "No rule is tried: the frame is malformed: ", explanation.malformed,
                        " (", UnreadReason(explanation.unread->reason), ")\n\n",
                        VerdictText(compiled, explanation));
  }
  if (explanation.unread) {
    absl::StrAppend(&text, explanation.malformed.empty() ? "" : "The frame is malformed. ",
                    "It is read only in part (", UnreadReason(explanation.unread->reason),
                    "): ", explanation.unread->about, "\n\n");
  }
  const uint32_t rule = *explanation.effects.rule();
  const RuleSpec& spec = SpecOf(policy, rule);
  text += RefusalsText(policy, explanation);
  absl::StrAppend(&text, "  ", NumberedName(policy, rule), ": matches: ",
                  rule < policy.rules.size() ? DescribeMatch(spec.match) : "everything else",
                  explanation.reads_headers ? "" : " (headers are not parsed)", "\n\nrule ",
                  spec.name, ": ", DescribeFate(spec), "\n",
                  StreamText(WhoseStream(policy, compiled, request, explanation), explanation));
  if (!explanation.state.empty()) absl::StrAppend(&text, "  state      ", explanation.state, "\n");
  for (const ExplainedDraw& draw : explanation.draws) text += DrawText(draw);
  absl::StrAppend(&text, "  loss       ", explanation.fate, "\n");
  if (!explanation.mark.empty()) absl::StrAppend(&text, "  mark       ", explanation.mark, "\n");
  if (explanation.completed)
    absl::StrAppend(&text, "  checksum   unfinished, so it is finished before the packet leaves\n");
  if (explanation.effects.verdict() == TP_MALFORMED)
    absl::StrAppend(&text, "  malformed  ", explanation.malformed, "\n");
  return absl::StrCat(text, "\n", VerdictText(compiled, explanation));
}

absl::StatusOr<nlohmann::ordered_json> ExplainJson(const Policy& policy,
                                                   const CompiledPolicy& compiled,
                                                   const ExplainRequest& request,
                                                   const Explanation& explanation) {
  const ParityFrame frame = {request.number, request.port, request.queue, request.frame};
  absl::StatusOr<Json> decided = VerdictJson("", frame, explanation.effects, compiled);
  if (!decided.ok()) return decided.status();
  Json json = {
      {"policy", policy.file},
      {"frame", {{"about", DescribeFrame(request.frame)}, {"octets", request.frame.size()}}},
      {"at_ns", request.at_ns}};
  json.update(*decided);
  json.erase("path");
  json["malformed"] = explanation.malformed.empty() ? Json() : Json(explanation.malformed);
  json["unread"] = Json();
  if (explanation.unread) {
    json["unread"] = {{"reason", UnreadReason(explanation.unread->reason)},
                      {"about", explanation.unread->about}};
  }
  json["parsed"] = explanation.reads_headers;
  json["checksum_completed"] = explanation.completed;
  json["refused"] = Json::array();
  for (const Explanation::Refusal& refusal : explanation.refusals) {
    json["refused"].push_back({{"rule", SpecOf(policy, refusal.rule).name},
                               {"field", refusal.field},
                               {"reason", refusal.reason}});
  }
  if (!explanation.effects.rule()) return json;
  const LossSpec& loss = SpecOf(policy, *explanation.effects.rule()).loss;
  json["model"] = LossModelName(loss.model);
  json["scope"] = LossScopeName(loss.scope);
  json["stream"] = Json();
  if (explanation.stream) {
    json["stream"] = {
        {"keys", {Hex64(explanation.stream->key_a), Hex64(explanation.stream->key_b)}},
        {"n", explanation.stream->n}};
  }
  json["state"] = explanation.state.empty() ? Json() : Json(explanation.state);
  json["draws"] = Json::array();
  for (const ExplainedDraw& draw : explanation.draws) {
    json["draws"].push_back(
        {{"decides", draw.decides},
         {"draw", Hex64(draw.draw)},
         {"draw_fraction", Fraction(draw.draw)},
         {"threshold", draw.always ? "0x10000000000000000" : Hex64(draw.threshold)},
         {"threshold_fraction", draw.always ? 1.0 : Fraction(draw.threshold)},
         {"below", draw.below}});
  }
  json["loss"] = explanation.fate;
  json["lost"] = explanation.lost;
  json["marked"] = explanation.marked;
  json["mark"] = explanation.mark.empty() ? Json() : Json(explanation.mark);
  return json;
}

}  // namespace twinpath
