// SPDX-License-Identifier: BSD-3-Clause
// Parses and prints addresses.

#include "src/splice/connect/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"

namespace twinpath::splice {
namespace {

constexpr char kAllowed[] = "ADDRESS:PORT with an IPv4 address, or [ADDRESS]:PORT with an IPv6 one";

// Splits "HOST:PORT" or "[HOST]:PORT". False if the text has another form.
bool SplitHostPort(std::string_view text, std::string* host, std::string_view* port,
                   bool* bracketed) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view left = text.substr(0, colon);
  *port = text.substr(colon + 1);
  if (left.empty() || (left.front() == '[') != (left.back() == ']')) return false;
  *bracketed = left.size() >= 2 && left.front() == '[';
  if (*bracketed) left = left.substr(1, left.size() - 2);
  *host = std::string(left);
  return true;
}

bool ParsePort(std::string_view text, bool allow_0, uint16_t* port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *port);
  return error == std::errc() && end == text.data() + text.size() && (*port != 0 || allow_0);
}

absl::Status WrongValue(const std::string& option, const std::string& found,
                        const std::string& allowed) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": ", FoundError("", "", found, allowed).message()));
}

// Parses the HOST of "[HOST]:PORT": an IPv6 address with an optional zone ("%eth0"). `text` is the
// whole value, for errors.
absl::Status ParseIpv6(const std::string& option, const std::string& text, std::string host,
                       Address* address) {
  auto* in6 = reinterpret_cast<sockaddr_in6*>(&address->storage);
  const size_t percent = host.find('%');
  const bool has_zone = percent != std::string::npos;
  if (has_zone) {
    address->zone = host.substr(percent + 1);
    host.resize(percent);
  }
  if (inet_pton(AF_INET6, host.c_str(), &in6->sin6_addr) != 1 ||
      (has_zone && address->zone.empty()))
    return WrongValue(option, Quote(text), kAllowed);
  if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) && !has_zone)
    return WrongValue(option, Quote(text),
                      absl::StrCat("a link-local address with its interface, as in [", host,
                                   "%eth0]:", text.substr(text.rfind(':') + 1)));
  if (has_zone) in6->sin6_scope_id = if_nametoindex(address->zone.c_str());
  if (has_zone && in6->sin6_scope_id == 0)
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": ", Quote(text), ": interface ", Quote(address->zone),
                     " does not exist; the zone is an interface's name, as in %eth0"));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Address> ParseAddress(const std::string& option, const std::string& text,
                                     bool allow_port_0) {
  std::string host;
  std::string_view port_text;
  bool bracketed = false;
  if (!SplitHostPort(text, &host, &port_text, &bracketed) || host.find('\0') != std::string::npos)
    return WrongValue(option, Quote(text), kAllowed);
  uint16_t port = 0;
  if (!ParsePort(port_text, allow_port_0, &port))
    return WrongValue(option, absl::StrCat("the port ", Quote(port_text)),
                      allow_port_0 ? "0 to 65535" : "1 to 65535");
  Address address;
  if (bracketed) {
    if (absl::Status status = ParseIpv6(option, text, host, &address); !status.ok()) return status;
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    address.size = sizeof(*in6);
  } else {
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
    if (inet_pton(AF_INET, host.c_str(), &in->sin_addr) != 1)
      return WrongValue(option, Quote(text), kAllowed);
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    address.size = sizeof(*in);
  }
  return address;
}

uint16_t Address::port() const {
  // sockaddr_in and sockaddr_in6 have the port at the same offset.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

bool Address::IsWildcard() const {
  if (family() == AF_INET)
    return reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr == htonl(INADDR_ANY);
  return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr);
}

std::string Address::text() const {
  char host[INET6_ADDRSTRLEN] = "?";
  if (family() == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
    return absl::StrCat(host, ":", port());
  }
  if (family() != AF_INET6) return "?";
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
    inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, sizeof(host));
    return absl::StrCat(host, ":", port());
  }
  inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
  char name[IF_NAMESIZE] = "";
  const bool has_name = zone.empty() && in6->sin6_scope_id != 0 &&
                        if_indextoname(in6->sin6_scope_id, name) != nullptr;
  const std::string shown = has_name ? name : zone;
  return absl::StrCat("[", host, shown.empty() ? "" : "%", shown, "]:", port());
}

}  // namespace twinpath::splice
