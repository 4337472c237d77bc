// SPDX-License-Identifier: BSD-3-Clause
// Finds the interface through which the user is logged in: looks up the SSH client in the kernel's
// routes (in a test: in /proc/net/route and /proc/net/ipv6_route). Main thread.

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "src/doctor/host.h"
#include "src/kernel/link/link.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kUp = 1, kReject = 0x200;  // RTF_*

// The address as 16 bytes; empty if `text` is not an address. Ignores a scope ("%eth0").
std::string AddressBytes(std::string text, const char* mapped) {
  text.resize(std::min(text.find('%'), text.size()));
  char bytes[16];
  if (inet_pton(AF_INET, text.c_str(), bytes) == 1)
    return std::string(mapped, 12) + std::string(bytes, 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes) == 1) return std::string(bytes, 16);
  return "";
}

bool Matches(const std::string& address, const std::string& prefix, uint32_t bits) {
  for (uint32_t i = 0; i < bits; i++) {
    const int mask = 0x80 >> i % 8;
    if ((address[i / 8] ^ prefix[i / 8]) & mask) return false;
  }
  return true;
}

uint32_t Hex(const std::string& text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 16));
}

}  // namespace

std::vector<DoctorHost::Route> DoctorHost::Routes() const {
  if (root_.empty()) return KernelRoutes();
  std::vector<Route> routes;
  std::ifstream ipv4(root_ + "/proc/self/net/route");
  for (std::string line; std::getline(ipv4, line);) {
    std::istringstream fields(line);
    std::string interface, to, gateway, flags, references, use, metric, mask;
    fields >> interface >> to >> gateway >> flags >> references >> use >> metric >> mask;
    if (mask.size() != 8 || !(Hex(flags) & kUp) || Hex(flags) & kReject) continue;
    const uint32_t prefix = Hex(to);  // in memory order
    char bytes[4];
    std::memcpy(bytes, &prefix, 4);
    routes.push_back({interface, kMappedBits + static_cast<uint32_t>(__builtin_popcount(Hex(mask))),
                      std::string(kMapped, 12) + std::string(bytes, 4)});
  }
  std::ifstream ipv6(root_ + "/proc/self/net/ipv6_route");
  for (std::string line; std::getline(ipv6, line);) {
    std::istringstream fields(line);
    std::string to, bits, from, from_bits, gateway, metric, references, use, flags, interface;
    fields >> to >> bits >> from >> from_bits >> gateway >> metric >> references >> use >> flags >>
        interface;
    if (to.size() != 32 || interface == "lo" || !(Hex(flags) & kUp) || Hex(flags) & kReject)
      continue;
    Route route = {interface, std::min(Hex(bits), 128u), ""};
    for (size_t i = 0; i < 32; i += 2) route.prefix += static_cast<char>(Hex(to.substr(i, 2)));
    routes.push_back(route);
  }
  return routes;
}

std::vector<DoctorHost::Route> DoctorHost::RoutesTo(const std::string& address) const {
  const std::string bytes = AddressBytes(address, kMapped);
  std::vector<Route> best;
  if (bytes.empty()) return best;
  for (const Route& route : Routes()) {
    if (!Matches(bytes, route.prefix, route.bits)) continue;
    const auto same = [&](const Route& other) { return other.table == route.table; };
    const auto longest = std::find_if(best.begin(), best.end(), same);
    if (longest != best.end() && longest->bits > route.bits) continue;
    if (longest != best.end() && longest->bits < route.bits)
      best.erase(std::remove_if(best.begin(), best.end(), same), best.end());
    best.push_back(route);
  }
  return best;
}

// The client's address in SSH_CONNECTION of this process or of an ancestor, because sudo removes
// the variable.
std::string DoctorHost::SshClient() const {
  std::string process = "self";
  for (int generation = 0; generation < 64 && !process.empty(); generation++) {
    std::ifstream environment(absl::StrCat(root_, "/proc/", process, "/environ"));
    const std::string key = "SSH_CONNECTION=";
    for (std::string variable; std::getline(environment, variable, '\0');) {
      if (variable.rfind(key, 0) == 0)
        return variable.substr(key.size(), variable.find(' ') - key.size());
    }
    std::ifstream status(absl::StrCat(root_, "/proc/", process, "/status"));
    process.clear();
    for (std::string line; std::getline(status, line);)
      if (line.rfind("PPid:\t", 0) == 0 && line != "PPid:\t0") process = line.substr(6);
  }
  return "";
}

std::vector<Login> DoctorHost::Logins() const {
  std::vector<Login> logins;
  const auto add = [&](const Route& route, const std::string& how) {
    const bool known = std::any_of(logins.begin(), logins.end(), [&](const Login& login) {
      return login.interface == route.interface;
    });
    if (!known) logins.push_back({route.interface, how});
  };
  const std::string client = SshClient();
  std::vector<Route> routes = RoutesTo(client);
  // Policy rules (ip rule) select the table. It is usually the main one, so that one comes first.
  const auto main = [](const Route& route) { return route.table == kMainTable; };
  std::stable_partition(routes.begin(), routes.end(), main);
  for (const Route& route : routes)
    add(route, main(route) ? absl::StrCat("you are logged in through it (from ", client, ")")
                           : absl::StrCat("you may be logged in through it (from ", client,
                                          ", by routing table ", route.table, ")"));
  if (!logins.empty()) return logins;
  for (const Route& route : Routes()) {
    // Some programs split the default route into two halves, to override another one.
    const bool ipv4 =
        Matches(std::string(kMapped, 12) + std::string(4, '\0'), route.prefix, kMappedBits);
    if (route.bits <= 1 || (ipv4 && route.bits >= kMappedBits && route.bits <= kMappedBits + 1))
      add(route, "it carries the default route");
  }
  return logins;
}

bool DoctorHost::Carries(const std::string& name, const std::string& login) const {
  if (name == login) return true;
  if (root_.empty()) {
    const auto link = FindLink(name);
    if (!link) return false;
    for (const Link& upper : ReadLinks()) {
      const bool over = upper.lower == link->index && !upper.elsewhere && upper.kind != "veth";
      if ((over || link->master == upper.index) && upper.index != link->index &&
          Carries(upper.name, login))
        return true;
    }
    return false;
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_ + "/sys/class/net/" + name, error)) {
    const std::string file = entry.path().filename();
    if (file.rfind("upper_", 0) == 0 && Carries(file.substr(6), login)) return true;
  }
  return false;
}

}  // namespace twinpath
