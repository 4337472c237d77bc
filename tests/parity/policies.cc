// SPDX-License-Identifier: BSD-3-Clause
// Random policies. Draws a few templates first (which fields a rule matches, and how narrowly),
// then rules from them. Real policies look similar, and the number of shapes stays below the limit
// of a port. For tests; any thread.

#include "tests/parity/policies.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "src/config/policy/actions.h"
#include "tests/parity/universe.h"

namespace twinpath {
namespace {

using Json = nlohmann::ordered_json;

// The features that the rules of a policy use. The paths have separate code for each.
enum class Language {
  kRandom,  // random losses
  kModels,  // losses of scope "queue", by all other models
  kAll,     // losses by any model and scope, marks, conditions, all actions
};

// The fields that the rules of a template match; 0 or false: not matched.
struct Template {
  enum class Family { kAny, kIpv4, kIpv6 } family = Family::kAny;
  bool port, vlan, src_mac, dst_mac, ether_type, ip_version, proto;
  bool src = false, dst = false, src_port = false, dst_port = false;
  int src_length = 0, dst_length = 0;
  bool src_range = false, dst_range = false;
  bool tcp_flags = false, dscp = false, ecn = false, fragment = false, length = false;
  bool vlan_stack = false, mac_mask = false, malformed = false;
};

Template MakeTemplate(Universe* u) {
  Template t;
  t.family = u->Of({Template::Family::kAny, Template::Family::kIpv4, Template::Family::kIpv6});
  t.port = u->Chance(3);
  t.vlan = u->Chance(4);
  t.src_mac = u->Chance(8);
  t.dst_mac = u->Chance(8);
  t.ether_type = u->Chance(5);
  t.ip_version = t.family != Template::Family::kAny && u->Chance(3);
  t.proto = u->Chance(2);
  if (t.family != Template::Family::kAny) {
    const bool four = t.family == Template::Family::kIpv4;
    t.src = u->Chance(2);
    t.dst = u->Chance(2);
    t.src_length = four ? u->Of({0, 8, 15, 24, 28, 31, 32}) : u->Of({0, 32, 64, 124, 127, 128});
    t.dst_length = four ? u->Of({16, 23, 24, 29, 32}) : u->Of({3, 96, 125, 128});
  }
  t.src_port = u->Chance(4);
  t.dst_port = u->Chance(3);
  t.src_range = t.src_port && u->Chance(3);
  t.dst_range = t.dst_port && !t.src_range && u->Chance(2);
  t.tcp_flags = u->Chance(10);
  t.dscp = u->Chance(10);
  t.ecn = u->Chance(10);
  t.fragment = u->Chance(8);
  t.length = !t.src_range && !t.dst_range && u->Chance(8);
  t.vlan_stack = u->Chance(2);
  t.mac_mask = u->Chance(2);
  t.malformed = !t.src_range && !t.dst_range && !t.length && u->Chance(8);
  return t;
}

std::string Ipv4Prefix(uint32_t address, int length) {
  address &= static_cast<uint32_t>(~0ULL << (32 - length));
  std::string text = absl::StrFormat("%d.%d.%d.%d", address >> 24, address >> 16 & 255,
                                     address >> 8 & 255, address & 255);
  return length == 32 ? text : absl::StrCat(text, "/", length);
}

// A prefix of 2001:db8::`host`.
std::string Ipv6Prefix(uint32_t host, int length) {
  if (length == 0) return "::/0";
  if (length == 3) return "2000::/3";
  if (length > 120) host &= static_cast<uint32_t>(~0ULL << (128 - length));
  const std::string text = absl::StrFormat("2001:db8::%x", length > 120 ? host : 0);
  return length == 128 ? text : absl::StrCat(text, "/", length);
}

Json PortMatch(Universe* u, bool range) {
  if (range) return u->Of({"5000-5015", "0-1023", "1024-65535", "80-1111", "0-65535"});
  return u->Port();
}

Json MakeMatch(const Template& t, const std::vector<std::string>& ports, Universe* u) {
  Json match = Json::object();
  const bool four = t.family == Template::Family::kIpv4;
  const bool any = t.family == Template::Family::kAny;
  if (t.port) match["port"] = ports[u->Draw(ports.size())];
  if (t.vlan) {
    const uint16_t vid = u->Vlan();
    match["vlan"] = vid == 4095 ? Json("none") : Json(vid);
    if (t.vlan_stack && vid != 4095) {
      match["vlan"] = Json::array({u->Chance(3) ? Json("any") : Json(vid)});
      if (u->Chance(2)) match["vlan"].push_back(u->Chance(2) ? Json("any") : Json(u->Draw(4)));
    }
  }
  if (t.src_mac) {
    match["src_mac"] = t.mac_mask
                           ? absl::StrFormat("00:00:00:00:00:%02x/00:00:00:00:00:03", u->Mac() & 3)
                           : absl::StrFormat("02:00:00:00:00:%02x", u->Mac());
  }
  if (t.dst_mac) match["dst_mac"] = absl::StrFormat("02:00:00:00:01:%02x", u->Mac());
  const bool needs_ip =
      t.proto || t.src_port || t.dst_port || t.tcp_flags || t.dscp || t.ecn || t.fragment;
  if (t.ether_type && !any) match["ether_type"] = four ? "ipv4" : "0x86dd";
  if (t.ether_type && any) {
    const uint16_t type = u->Of<uint16_t>({0x0800, 0x86dd, 0x0806, 0x8847, 0x8100, 40, 0});
    match["ether_type"] = needs_ip ? u->Of<uint16_t>({0x0800, 0x86dd}) : type;
  }
  if (t.ip_version) match["ip_version"] = four ? 4 : 6;
  if (t.src) {
    match["src"] =
        four ? Ipv4Prefix(u->Ipv4(), t.src_length) : Ipv6Prefix(u->Ipv6Host(), t.src_length);
  }
  if (t.dst) {
    match["dst"] =
        four ? Ipv4Prefix(u->Ipv4(), t.dst_length) : Ipv6Prefix(u->Ipv6Host(), t.dst_length);
  }
  if (t.proto) {
    match["proto"] = t.src_port || t.dst_port
                         ? u->Of({6, 17})
                         : u->Of({6, 17, 1, 58, 253, 59, 132, 47, 50, 60, 0, 44});
  }
  if (t.tcp_flags && (!match.contains("proto") || match["proto"] == 6))
    match["tcp_flags"] = u->Of({"syn", "syn,!ack", "ack", "!ack", "fin,rst", "!syn,ack,psh"});
  if (t.dscp) match["dscp"] = u->Of({0, 46, 10, 8});
  if (t.ecn) match["ecn"] = u->Draw(4);
  if (t.fragment) {
    const bool transport = match.contains("tcp_flags") || t.src_port || t.dst_port;
    match["fragment"] =
        u->Of({Json(true), Json(false), Json("first"), transport ? Json("first") : Json("later")});
  }
  if (t.length) match["length"] = u->Of({"60-127", "0-70", "64-65535", "1000-1514"});
  if (t.src_port) match["src_port"] = PortMatch(u, t.src_range);
  if (t.dst_port) match["dst_port"] = PortMatch(u, t.dst_range);
  if (t.malformed) match["malformed"] = u->Chance(2);
  return match;
}

const char* Rate(Universe* u) {
  return u->Of({"0%", "0.01%", "1%", "10%", "33.3%", "50%", "90%", "100%", "1e-9"});
}

Json RandomLoss(Universe* u) { return {{"model", "random"}, {"rate", Rate(u)}}; }

// A loss of any model except random.
Json ModelLoss(Universe* u) {
  switch (u->Draw(5)) {
    case 0:
      return {{"model", "correlated"}, {"rate", Rate(u)}, {"correlation", u->Of({"0%", "90%"})}};
    case 1:
      return {{"model", "gilbert_elliott"},
              {"p", Rate(u)},
              {"r", Rate(u)},
              {"loss_bad", Rate(u)},
              {"loss_good", Rate(u)}};
    case 2:
      return {{"model", "four_state"},
              {"p13", u->Of({"0%", "1%", "50%"})},
              {"p31", u->Of({"0%", "5%", "50%"})},
              {"p32", u->Of({"0%", "5%", "50%"})},
              {"p23", u->Of({"0%", "10%", "100%"})},
              {"p14", u->Of({"0%", "2%", "50%"})}};
    case 3: {
      const uint64_t every = u->Of<uint64_t>({1, 2, 7, 63, 64, 65, 100});
      return {{"model", "periodic"},
              {"every", every},
              {"offset", u->Of({0, 1, 70})},
              {"burst", 1 + u->Draw(every)}};
    }
    default: {
      Json loss = {{"model", "sequence"}, {"packets", {1, "3-5", "62-70", 99}}};
      if (u->Chance(2)) loss["repeat"] = u->Of({100, 101, 128});
      return loss;
    }
  }
}

Json AnyLoss(Universe* u) {
  Json loss = u->Chance(2) ? ModelLoss(u) : RandomLoss(u);
  switch (u->Draw(4)) {
    case 0:
      loss["scope"] = "flow";
      if (u->Chance(2)) loss["flow"] = "bidirectional";
      break;
    case 1:
      if (loss["model"] == "random") loss["scope"] = "packet";
      break;
    default:
      break;
  }
  if (u->Chance(3)) loss["ecn_mark"] = true;
  return loss;
}

void AddConditions(Universe* u, Json* rule) {
  if (u->Chance(3)) (*rule)["flows"] = u->Of({"0%", "5%", "50%", "100%"});
  if (u->Chance(3)) (*rule)["packets"] = u->Of({1, 2, 10, 1000});
  if (u->Chance(3)) {
    (*rule)["active"] = u->Of({Json{{"for", "1s"}}, Json{{"from", "1s"}},
                               Json{{"from", "500ms"}, {"for", "1s"}, {"every", "2s"}}});
  }
}

void AddFate(Language language, const std::vector<std::string>& ports, Universe* u, Json* rule) {
  if (!u->Chance(4)) {
    (*rule)["loss"] = language == Language::kRandom   ? RandomLoss(u)
                      : language == Language::kModels ? ModelLoss(u)
                                                      : AnyLoss(u);
  }
  std::vector<std::string_view> words;
  for (const Action& action : kActions) {
    if (action.leaves_by != TP_LEAVES_BY_PORT && (action.fast || language == Language::kAll))
      words.push_back(action.word);
  }
  const uint64_t drawn = u->Draw(words.size() + 3);
  if (drawn < words.size())
    (*rule)["forward"] = words[drawn];
  else if (drawn > words.size())  // else left out: "pass"
    (*rule)["forward"] = {{"port", ports[u->Draw(ports.size())]}};
}

}  // namespace

RandomPolicy MakeRandomPolicy(uint64_t number) {
  Universe u(number ^ 0x706f6c69637900ULL);
  RandomPolicy policy;
  const Language language = u.Of({Language::kRandom, Language::kModels, Language::kAll});
  const size_t n_ports = 1 + u.Draw(4);
  for (size_t i = 0; i < n_ports; i++) policy.ports.push_back(absl::StrCat("port", i));
  policy.queues = static_cast<uint32_t>(1 + u.Draw(4));
  std::vector<Template> templates(1 + u.Draw(14));
  for (Template& t : templates) t = MakeTemplate(&u);
  const size_t n_rules = u.Of<size_t>({0, 1, 2, 3, 5, 10, 30, 100, 300});
  Json json = {{"version", 1}, {"seed", u.Draw(1000)}, {"rules", Json::array()}};
  for (size_t i = 0; i < n_rules; i++) {
    Json rule = {{"name", absl::StrCat("rule ", i)}};
    rule["match"] = MakeMatch(templates[u.Draw(templates.size())], policy.ports, &u);
    AddFate(language, policy.ports, &u, &rule);
    if (language == Language::kAll && u.Chance(3)) AddConditions(&u, &rule);
    json["rules"].push_back(std::move(rule));
  }
  json["default"] = Json::object();
  AddFate(language, policy.ports, &u, &json["default"]);
  if (u.Chance(2)) json["malformed"] = u.Chance(4) ? "match" : "drop";
  policy.json = json.dump(1);
  return policy;
}

absl::StatusOr<CompiledPolicy> Compile(const RandomPolicy& policy) {
  absl::StatusOr<Policy> parsed = ParsePolicy(policy.json, "random");
  if (!parsed.ok()) return parsed.status();
  return CompilePolicy(*parsed, policy.ports);
}

}  // namespace twinpath
