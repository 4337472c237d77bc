// SPDX-License-Identifier: BSD-3-Clause
// Every route of every table with every next hop, which /proc/net/route does not have: RTM_GETROUTE
// of rtnetlink(7). Main thread.

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "src/doctor/host.h"

namespace twinpath {
namespace {

constexpr int kMostAnswers = 100000;  // of 32 KiB each: whole tables of the Internet's routes
constexpr size_t kRoom = 1 << 15;

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
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return routes;
  for (int family : {AF_INET, AF_INET6}) {
    struct {
      nlmsghdr header;
      rtmsg route;
    } request = {};
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = RTM_GETROUTE;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.route.rtm_family = static_cast<unsigned char>(family);
    if (send(fd, &request, sizeof(request), 0) < 0) break;
    std::vector<char> answer(kRoom);
    bool more = true;
    for (int i = 0; i < kMostAnswers && more; i++) {
      auto length = recv(fd, answer.data(), answer.size(), 0);
      if (length <= 0) break;
      const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
      for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
        more = header->nlmsg_type == RTM_NEWROUTE;
        if (!more) break;
        AddRoute(NLMSG_DATA(header), NLMSG_PAYLOAD(header, 0), &routes);
      }
    }
  }
  close(fd);
  return routes;
}

}  // namespace twinpath
