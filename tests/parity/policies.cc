// SPDX-License-Identifier: BSD-3-Clause
// Random policies. A policy first draws a few templates (which fields a rule looks at, and how
// closely), then its rules from them: as people's policies do, and so that the number of shapes
// stays within what one port may have. For tests; any thread.

#include "tests/parity/policies.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "tests/parity/universe.h"

namespace twinpath {
namespace {

using Json = nlohmann::ordered_json;

// Which fields the rules of a template look at; 0 or false: not at all.
struct Template {
  enum class Family { kAny, kIpv4, kIpv6 } family = Family::kAny;
  bool port, vlan, src_mac, dst_mac, ether_type, ip_version, proto;
  bool src = false, dst = false, src_port = false, dst_port = false;
  int src_length = 0, dst_length = 0;
  bool src_range = false, dst_range = false;
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
  return t;
}

std::string Ipv4Prefix(uint32_t address, int length) {
  address &= static_cast<uint32_t>(~0ULL << (32 - length));
  std::string text = absl::StrFormat("%d.%d.%d.%d", address >> 24, address >> 16 & 255,
                                     address >> 8 & 255, address & 255);
  return length == 32 ? text : absl::StrCat(text, "/", length);
}

// Of 2001:db8::`host`, whose only other bits are those of 0x2001 and 0x0db8.
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
  }
  if (t.src_mac) match["src_mac"] = absl::StrFormat("02:00:00:00:00:%02x", u->Mac());
  if (t.dst_mac) match["dst_mac"] = absl::StrFormat("02:00:00:00:01:%02x", u->Mac());
  const bool needs_ip = t.proto || t.src_port || t.dst_port;
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
  if (t.src_port) match["src_port"] = PortMatch(u, t.src_range);
  if (t.dst_port) match["dst_port"] = PortMatch(u, t.dst_range);
  return match;
}

void AddFate(const std::vector<std::string>& ports, Universe* u, Json* rule) {
  if (!u->Chance(4)) {
    const char* rate = u->Of({"0%", "0.01%", "1%", "10%", "33.3%", "50%", "90%", "100%", "1e-9"});
    (*rule)["loss"] = {{"model", "random"}, {"rate", rate}};
  }
  switch (u->Draw(6)) {
    case 0:
      (*rule)["forward"] = "pass";
      break;
    case 1:
      (*rule)["forward"] = "drop";
      break;
    case 2:
      (*rule)["forward"] = "reflect";
      break;
    case 3:
      break;  // left out: "pass"
    default:
      (*rule)["forward"] = {{"port", ports[u->Draw(ports.size())]}};
  }
}

}  // namespace

RandomPolicy MakeRandomPolicy(uint64_t number) {
  Universe u(number ^ 0x706f6c69637900ULL);
  RandomPolicy policy;
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
    AddFate(policy.ports, &u, &rule);
    json["rules"].push_back(std::move(rule));
  }
  json["default"] = Json::object();
  AddFate(policy.ports, &u, &json["default"]);
  policy.json = json.dump(1);
  return policy;
}

absl::StatusOr<CompiledPolicy> Compile(const RandomPolicy& policy) {
  absl::StatusOr<Policy> parsed = ParsePolicy(policy.json, "random");
  if (!parsed.ok()) return parsed.status();
  return CompilePolicy(*parsed, policy.ports);
}

}  // namespace twinpath
