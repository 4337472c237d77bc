// SPDX-License-Identifier: BSD-3-Clause
// Formats comparisons as text and JSON, and frames in hex. Pure functions.

#include "src/parity/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/config/sha256.h"
#include "src/policy/pipeline.h"
#include "src/telemetry/counters.h"

namespace twinpath {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kHexBytes = 256;  // of a frame, in the text

std::string RuleName(const CompiledPolicy& policy, uint32_t rule) {
  return rule < policy.rule_names.size() ? policy.rule_names[rule] : absl::StrCat("#", rule);
}

std::string PortName(const CompiledPolicy& policy, size_t port) {
  return port < policy.ports.size() ? policy.ports[port] : absl::StrCat("#", port);
}

absl::StatusOr<std::string> Digest(const FrameEffects& effects) {
  return Sha256Hex(
      std::string_view(reinterpret_cast<const char*>(effects.bytes.data()), effects.bytes.size()));
}

std::string Hex(absl::Span<const uint8_t> bytes, size_t from, size_t count) {
  std::string hex;
  for (uint8_t byte : bytes.subspan(from, count)) absl::StrAppendFormat(&hex, "%02x", byte);
  return hex;
}

std::string HexLines(absl::Span<const uint8_t> bytes) {
  std::string text;
  const size_t shown = std::min(bytes.size(), kHexBytes);
  for (size_t at = 0; at < shown; at += 16) {
    absl::StrAppendFormat(&text, "    %04x ", at);
    for (size_t i = at; i < std::min(at + 16, shown); i++)
      absl::StrAppendFormat(&text, " %02x", bytes[i]);
    text += "\n";
  }
  if (shown < bytes.size())
    absl::StrAppend(&text, "    and ", bytes.size() - shown, " more bytes\n");
  return text;
}

std::string Address(const tp_key& key, bool source) {
  char text[INET6_ADDRSTRLEN] = "";
  const bool four = key.ip_version == 4;
  const uint8_t* bytes = key.address + (source ? 0 : four ? 4 : 16);
  inet_ntop(four ? AF_INET : AF_INET6, bytes, text, sizeof(text));
  if (!(key.flags & TP_KEY_PORTS)) return text;
  const uint16_t port = ntohs(source ? key.src_port : key.dst_port);
  return four ? absl::StrCat(text, ":", port) : absl::StrCat("[", text, "]:", port);
}

std::string ProtoName(uint8_t proto) {
  switch (proto) {
    case TP_PROTO_TCP:
      return "tcp";
    case TP_PROTO_UDP:
      return "udp";
    case TP_PROTO_ICMP:
      return "icmp";
    case TP_PROTO_ICMPV6:
      return "icmpv6";
    default:
      return absl::StrCat("protocol ", proto);
  }
}

std::string EffectsText(const FrameEffects& effects, const CompiledPolicy& policy) {
  std::string text = absl::StrFormat("%-9s", VerdictName(effects.verdict()));
  const auto rule = effects.rule(), out_port = effects.out_port();
  absl::StrAppend(&text, "  rule ", rule ? RuleName(policy, *rule) : "none");
  if (out_port) absl::StrAppend(&text, "  out ", PortName(policy, *out_port));
  if (!effects.bytes.empty()) absl::StrAppend(&text, "  ", effects.bytes.size(), " bytes leave");
  return text;
}

// Describes the first byte that differs, if bytes leave on both paths.
std::string BytesText(const FrameEffects& a, const FrameEffects& b) {
  if (a.bytes == b.bytes || a.bytes.empty() || b.bytes.empty()) return "";
  const auto at = static_cast<size_t>(
      std::mismatch(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end()).first -
      a.bytes.begin());
  auto from = [at](const FrameEffects& v) { return Hex(v.bytes, at, 16); };
  return absl::StrCat("  the bytes that leave differ from byte ", at, " on: ", from(a), " and ",
                      from(b), "\n");
}

std::string DifferenceText(const ParityDifference& difference, const ParityReport& report,
                           const CompiledPolicy& policy) {
  std::string text =
      absl::StrCat("\nframe ", difference.n, ": port ", PortName(policy, difference.port),
                   ", queue ", difference.queue, ", ", difference.bytes.size(), " bytes\n");
  for (size_t i = 0; i < 2; i++) {
    absl::StrAppendFormat(&text, "  %-5s %s\n", report.paths[i],
                          EffectsText(difference.effects[i], policy));
  }
  absl::StrAppend(&text, BytesText(difference.effects[0], difference.effects[1]));
  absl::StrAppend(&text, "  ", DescribeFrame(difference.bytes), "\n", HexLines(difference.bytes));
  return text;
}

Json VerdictFields(const FrameEffects& effects, const CompiledPolicy& policy) {
  const auto rule = effects.rule(), out_port = effects.out_port();
  return {
      {"rule", rule ? Json(RuleName(policy, *rule)) : Json()},
      {"verdict", VerdictName(effects.verdict())},
      {"out_port", out_port ? Json(PortName(policy, *out_port)) : Json()},
  };
}

}  // namespace

std::string DescribeFrame(absl::Span<const uint8_t> frame) {
  tp_key key;
  const uint8_t* data = frame.data();
  tp_parse(data, data + frame.size(), static_cast<uint32_t>(frame.size()), 0, &key);
  if (key.vlan & TP_VLAN_UNREAD) return "malformed";
  std::string text;
  if (key.flags & TP_KEY_IP) {
    absl::StrAppend(&text, "IPv", key.ip_version, " ",
                    key.flags & TP_KEY_UNREAD ? "" : absl::StrCat(ProtoName(key.proto), " "),
                    Address(key, true), " > ", Address(key, false));
  } else {
    absl::StrAppendFormat(&text, "EtherType 0x%04x", key.ether_type);
  }
  if (key.flags & TP_KEY_VLAN) absl::StrAppend(&text, ", vlan ", key.vlan);
  if (key.inner_vlan) absl::StrAppend(&text, " and ", key.inner_vlan);
  if (key.flags & TP_KEY_LATER) {
    text += ", later fragment";
  } else if (key.flags & TP_KEY_FRAGMENT) {
    text += ", first fragment";
  }
  if (key.flags & TP_KEY_MALFORMED) text += ", malformed";
  return text;
}

std::string ParityText(const ParityReport& report, const CompiledPolicy& policy) {
  std::string text =
      absl::StrCat("frames ", report.frames, ", equal ", report.frames - report.different,
                   ", different ", report.different, "\n");
  if (report.skipped) {
    absl::StrAppend(&text, "skipped ", report.skipped, " of more than ", kLongestFrame,
                    " bytes, which no port receives\n");
  }
  if (report.cut) {
    absl::StrAppend(&text, "ran ", report.cut, " that are cut short in the capture ",
                    "(by a snapshot length: capture with tcpdump -s 0)\n");
  }
  for (const ParityDifference& difference : report.differences)
    text += DifferenceText(difference, report, policy);
  if (report.different > report.differences.size()) {
    absl::StrAppend(&text, "\nand ", report.different - report.differences.size(),
                    " more frames differ\n");
  }
  const std::string both = absl::StrCat(report.paths[0], " and ", report.paths[1]);
  for (const std::string& line : report.counter_differences)
    absl::StrAppend(&text, "counters of ", both, " differ: ", line, "\n");
  if (report.burst_different) {
    absl::StrAppend(&text, "in bursts of 32, ", report.burst_different,
                    " frames differ from the same frames one by one; the first is frame ",
                    report.burst_first.value_or(0), "\n");
  }
  for (const std::string& line : report.burst_counter_differences)
    absl::StrAppend(&text, "counters differ between single frames and bursts: ", line, "\n");
  return text;
}

nlohmann::ordered_json ParityJson(const ParityReport& report, const CompiledPolicy& policy) {
  Json json = {{"policy", report.policy}, {"port", report.port}, {"queues", report.queues}};
  json["captures"] = Json::array();
  for (const auto& [file, frames] : report.captures)
    json["captures"].push_back({{"file", file}, {"frames", frames}});
  json["frames"] = report.frames;
  json["equal"] = report.frames - report.different;
  json["different"] = report.different;
  json["cut"] = report.cut;
  json["skipped"] = report.skipped;
  json["differences"] = Json::array();
  for (const ParityDifference& difference : report.differences) {
    Json entry = {{"n", difference.n},
                  {"port", PortName(policy, difference.port)},
                  {"queue", difference.queue},
                  {"about", DescribeFrame(difference.bytes)}};
    for (size_t i = 0; i < 2; i++) {
      entry[report.paths[i]] = VerdictFields(difference.effects[i], policy);
      const std::vector<uint8_t>& bytes = difference.effects[i].bytes;
      entry[report.paths[i]]["bytes"] = Hex(bytes, 0, bytes.size());
    }
    entry["frame"] = Hex(difference.bytes, 0, difference.bytes.size());
    json["differences"].push_back(std::move(entry));
  }
  json["counter_differences"] = report.counter_differences;
  json["bursts"] = {{"different", report.burst_different},
                    {"first", report.burst_first ? Json(*report.burst_first) : Json()},
                    {"counter_differences", report.burst_counter_differences}};
  return json;
}

absl::StatusOr<nlohmann::ordered_json> VerdictJson(const std::string& path,
                                                   const ParityFrame& frame,
                                                   const FrameEffects& effects,
                                                   const CompiledPolicy& policy) {
  Json json = {{"path", path},
               {"n", frame.n},
               {"port", PortName(policy, frame.port)},
               {"queue", frame.queue}};
  json.update(VerdictFields(effects, policy));
  json["sha256"] = Json();
  if (effects.leaves()) {
    absl::StatusOr<std::string> digest = Digest(effects);
    if (!digest.ok()) return digest.status();
    json["sha256"] = *std::move(digest);
  }
  return json;
}

}  // namespace twinpath
