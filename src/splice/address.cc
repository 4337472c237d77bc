// SPDX-License-Identifier: BSD-3-Clause
// Address text, read and written.

#include "src/splice/address.h"

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

// The two parts of "HOST:PORT" or "[HOST]:PORT"; false where the text has another shape.
bool Split(std::string_view text, std::string* host, std::string_view* port, bool* bracketed) {
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

bool ParsePort(std::string_view text, bool any_port, uint16_t* port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *port);
  return error == std::errc() && end == text.data() + text.size() && (*port != 0 || any_port);
}

// Reads an IPv6 address with an optional zone ("%eth0").
bool ParseIpv6(std::string host, sockaddr_in6* address) {
  const size_t percent = host.find('%');
  if (percent != std::string::npos) {
    address->sin6_scope_id = if_nametoindex(host.c_str() + percent + 1);
    if (address->sin6_scope_id == 0) return false;
    host.resize(percent);
  }
  return inet_pton(AF_INET6, host.c_str(), &address->sin6_addr) == 1;
}

}  // namespace

absl::StatusOr<Address> ParseAddress(const std::string& option, const std::string& text,
                                     bool any_port) {
  const absl::Status wrong = FoundError("", "", Quote(text), kAllowed);
  const absl::Status error =
      absl::InvalidArgumentError(absl::StrCat(option, ": ", wrong.message()));
  std::string host;
  std::string_view port_text;
  bool bracketed = false;
  if (!Split(text, &host, &port_text, &bracketed) || host.find('\0') != std::string::npos)
    return error;
  uint16_t port = 0;
  if (!ParsePort(port_text, any_port, &port))
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": ",
                     FoundError("", "", absl::StrCat("the port ", Quote(port_text)),
                                any_port ? "0 to 65535" : "1 to 65535")
                         .message()));
  Address address;
  if (bracketed) {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (!ParseIpv6(host, in6)) return error;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    address.size = sizeof(*in6);
  } else {
    auto* in = reinterpret_cast<sockaddr_in*>(&address.storage);
    if (inet_pton(AF_INET, host.c_str(), &in->sin_addr) != 1) return error;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    address.size = sizeof(*in);
  }
  return address;
}

uint16_t Address::port() const {
  // The port of both families is in the same place.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

bool Address::any() const {
  if (family() == AF_INET)
    return reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr == htonl(INADDR_ANY);
  return IN6_IS_ADDR_UNSPECIFIED(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr);
}

std::string Address::text() const {
  char host[INET6_ADDRSTRLEN] = "?";
  if (family() == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
    return absl::StrCat(host, ":", ntohs(in->sin_port));
  }
  if (family() != AF_INET6) return "?";
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  const unsigned port = ntohs(in6->sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
    inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], host, sizeof(host));
    return absl::StrCat(host, ":", port);
  }
  inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
  char zone[IF_NAMESIZE] = "";
  if (in6->sin6_scope_id != 0 && !if_indextoname(in6->sin6_scope_id, zone)) zone[0] = '\0';
  return absl::StrCat("[", host, zone[0] ? "%" : "", zone, "]:", port);
}

}  // namespace twinpath::splice
