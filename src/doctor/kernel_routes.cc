// SPDX-License-Identifier: BSD-3-Clause
// Reads every route of every table with every next hop, by RTM_GETROUTE of rtnetlink(7).
// /proc/net/route does not have all of them. Main thread.

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "src/doctor/host.h"
#include "src/kernel/netlink.h"

namespace twinpath {
namespace {

std::string Name(uint32_t index) {
  char name[IF_NAMESIZE] = "";
  return if_indextoname(index, name) != nullptr ? name : "";
}

}  // namespace

void DoctorHost::AddRoute(const void* message, size_t length, std::vector<Route>* routes) {
  const auto* about = static_cast<const rtmsg*>(message);
  if (length < sizeof(*about) || about->rtm_type != RTN_UNICAST || about->rtm_flags & RTM_F_CLONED)
    return;
  const bool ipv6 = about->rtm_family == AF_INET6;
  Route route = {.table = about->rtm_table};
  route.bits = about->rtm_dst_len + (ipv6 ? 0 : kMappedBits);
  route.prefix.assign(16, '\0');
  if (!ipv6) route.prefix.replace(0, 12, kMapped, 12);
  std::vector<std::string> interfaces;
  auto left = static_cast<int>(length - NLMSG_ALIGN(sizeof(*about)));
  for (const rtattr* at = RTM_RTA(about); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
    const auto* value = static_cast<const char*>(RTA_DATA(at));
    const size_t size = RTA_PAYLOAD(at);
    uint32_t number = 0;
    if (size >= sizeof(number)) std::memcpy(&number, value, sizeof(number));
    if (at->rta_type == RTA_TABLE) route.table = number;
    if (at->rta_type == RTA_OIF) interfaces.push_back(Name(number));
    if (at->rta_type == RTA_DST && size == (ipv6 ? 16u : 4u))
      route.prefix.replace(16 - size, size, value, size);
    if (at->rta_type != RTA_MULTIPATH) continue;
    auto hops = static_cast<int>(size);
    for (const auto* hop = reinterpret_cast<const rtnexthop*>(value); RTNH_OK(hop, hops);) {
      interfaces.push_back(Name(static_cast<uint32_t>(hop->rtnh_ifindex)));
      hops -= RTNH_ALIGN(hop->rtnh_len);
      hop = RTNH_NEXT(hop);
    }
  }
  for (const std::string& interface : interfaces) {
    route.interface = interface;
    if (!interface.empty() && interface != "lo") routes->push_back(route);
  }
}

std::vector<DoctorHost::Route> DoctorHost::KernelRoutes() {
  std::vector<Route> routes;
  for (const int family : {AF_INET, AF_INET6}) {
    NetlinkMessage request(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP);
    rtmsg route = {};
    route.rtm_family = static_cast<unsigned char>(family);
    request.Append(&route, sizeof(route));
    request.Request(NETLINK_ROUTE, [&routes](const uint8_t* message, size_t length) {
      AddRoute(message, length, &routes);
    });
  }
  return routes;
}

}  // namespace twinpath
