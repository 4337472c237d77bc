// SPDX-License-Identifier: BSD-3-Clause
// The shapes: all combinations of links x networks x transports, then the malformed ones on each
// link, and at the end the requests on each link. For tests; any thread.

#include "tests/parity/shapes.h"

#include <functional>
#include <utility>

#include "src/policy/pipeline.h"
#include "tests/parity/requests.h"
#include "tests/parity/universe.h"
#include "tests/unit/lib/frame_builder.h"

namespace twinpath {
namespace {

using Step = std::function<void(FrameBuilder*, Universe*)>;
struct Part {
  std::string name;
  Step add;
};

const std::vector<Part>& Links() {
  static const std::vector<Part> parts = {
      {"eth", [](FrameBuilder*, Universe*) {}},
      {"vlan", [](FrameBuilder* f, Universe* u) { f->Vlan(u->Vlan()); }},
      {"1ad", [](FrameBuilder* f, Universe* u) { f->Vlan(u->Vlan(), 0x88a8); }},
      {"prio", [](FrameBuilder* f, Universe*) { f->Vlan(0xa000); }},
      {"qinq", [](FrameBuilder* f, Universe* u) { f->Vlan(u->Vlan(), 0x88a8).Vlan(u->Vlan()); }},
      {"3vlan",
       [](FrameBuilder* f, Universe* u) { f->Vlan(u->Vlan()).Vlan(u->Vlan()).Vlan(u->Vlan()); }},
  };
  return parts;
}

void Ipv4(FrameBuilder* f, Universe* u) {
  f->Ipv4(u->Proto()).Ipv4Addresses(u->Ipv4(), u->Ipv4());
  f->Patch(1, {u->Byte()});  // TOS
}

void Ipv6(FrameBuilder* f, Universe* u) {
  f->Ipv6(u->Proto());
  f->Patch(23, {u->Ipv6Host()}).Patch(39, {u->Ipv6Host()}).Patch(1, {u->Byte()});
}

std::vector<Part> Ipv4Parts() {
  std::vector<Part> parts;
  for (size_t options : {0, 4, 40}) {
    auto header = [options](FrameBuilder* f, Universe* u) {
      Ipv4(f, u);
      f->Options(options);
    };
    const std::string name = "ipv4+" + std::to_string(options);
    parts.push_back({name, header});
    parts.push_back({name + " df", [header](FrameBuilder* f, Universe* u) {
                       header(f, u);
                       f->Patch(6, {0x40, 0});
                     }});
    const std::pair<const char*, std::pair<uint16_t, bool>> fragments[] = {
        {" first", {0, true}}, {" middle", {100, true}}, {" last", {0x1fff, false}}};
    for (const auto& [which, fragment] : fragments) {
      parts.push_back({name + which, [header, fragment = fragment](FrameBuilder* f, Universe* u) {
                         header(f, u);
                         f->Fragment(fragment.first, fragment.second);
                       }});
    }
  }
  return parts;
}

const std::vector<Part>& Chains() {
  static const std::vector<Part> parts = {
      {"", [](FrameBuilder*, Universe*) {}},
      {" hop", [](FrameBuilder* f, Universe*) { f->HopByHop(); }},
      {" hop3", [](FrameBuilder* f, Universe*) { f->HopByHop(3); }},
      {" routing", [](FrameBuilder* f, Universe*) { f->Routing(2); }},
      {" dest", [](FrameBuilder* f, Universe*) { f->DestinationOptions(); }},
      {" ah", [](FrameBuilder* f, Universe*) { f->Authentication(); }},
      {" ah0", [](FrameBuilder* f, Universe*) { f->Authentication(0); }},
      {" mobility", [](FrameBuilder* f, Universe*) { f->Extension(135, 1); }},
      {" hip", [](FrameBuilder* f, Universe*) { f->Extension(139, 4); }},
      {" shim6", [](FrameBuilder* f, Universe*) { f->Extension(140); }},
      {" hop dest", [](FrameBuilder* f, Universe*) { f->HopByHop().DestinationOptions(1); }},
      {" hop routing dest",
       [](FrameBuilder* f, Universe*) { f->HopByHop().Routing(2).DestinationOptions(); }},
      {" hop dest routing ah dest",
       [](FrameBuilder* f, Universe*) {
         f->HopByHop().DestinationOptions().Routing(4).Authentication(8).DestinationOptions(2);
       }},
      {" seven",
       [](FrameBuilder* f, Universe*) {
         for (int i = 0; i < 7; i++) f->DestinationOptions();
       }},
      {" eight",
       [](FrameBuilder* f, Universe*) {
         for (int i = 0; i < 8; i++) f->Extension(i & 1 ? 43 : 60);
       }},
      {" nine",
       [](FrameBuilder* f, Universe*) {
         for (int i = 0; i < 9; i++) f->DestinationOptions();
       }},
  };
  return parts;
}

std::vector<Part> Ipv6Parts() {
  std::vector<Part> parts;
  for (const Part& chain : Chains()) {
    auto header = [chain](FrameBuilder* f, Universe* u) {
      Ipv6(f, u);
      chain.add(f, u);
    };
    parts.push_back({"ipv6" + chain.name, header});
    const std::pair<const char*, std::pair<uint16_t, bool>> fragments[] = {
        {" atomic", {0, false}},
        {" first", {0, true}},
        {" middle", {100, true}},
        {" last", {0x1fff, false}}};
    for (const auto& [which, fragment] : fragments) {
      parts.push_back({"ipv6" + chain.name + which,
                       [header, fragment = fragment](FrameBuilder* f, Universe* u) {
                         header(f, u);
                         f->Fragment(fragment.first, fragment.second);
                       }});
    }
    parts.push_back({"ipv6" + chain.name + " first dest", [header](FrameBuilder* f, Universe* u) {
                       header(f, u);
                       f->Fragment(0, true).DestinationOptions();
                     }});
  }
  return parts;
}

const std::vector<Part>& Transports() {
  static const std::vector<Part> parts = {
      {" other", [](FrameBuilder* f, Universe*) { f->Payload(9); }},
      {" bare", [](FrameBuilder*, Universe*) {}},
      {" udp", [](FrameBuilder* f, Universe* u) { f->Udp(u->Port(), u->Port()).Payload(5); }},
      {" tcp", [](FrameBuilder* f, Universe* u) { f->Tcp(u->Port(), u->Port(), u->Byte()); }},
      {" tcp+12",
       [](FrameBuilder* f, Universe* u) {
         f->Tcp(u->Port(), u->Port(), 0x18).Options(12).Payload(7).Padding(3);
       }},
      {" tcp+40", [](FrameBuilder* f, Universe* u) { f->Tcp(u->Port(), u->Port()).Options(40); }},
      {" icmp", [](FrameBuilder* f, Universe*) { f->Icmp().Payload(8); }},
      {" icmpv6", [](FrameBuilder* f, Universe*) { f->Icmpv6().Payload(8); }},
  };
  return parts;
}

// Frames with one wrong or odd header, on every link.
std::vector<Part> Faults() {
  auto v4 = [](const char* name, size_t at, std::initializer_list<uint8_t> bytes) -> Part {
    return {std::string("ipv4 ") + name,
            [at, b = std::vector<uint8_t>(bytes)](FrameBuilder* f, Universe* u) {
              Ipv4(f, u);
              for (size_t i = 0; i < b.size(); i++) f->Patch(at + i, {b[i]});
              f->Udp(u->Port(), u->Port()).Payload(20).Padding(4);
            }};
  };
  auto v6 = [](const char* name, size_t at, std::initializer_list<uint8_t> bytes) -> Part {
    return {std::string("ipv6 ") + name,
            [at, b = std::vector<uint8_t>(bytes)](FrameBuilder* f, Universe* u) {
              Ipv6(f, u);
              for (size_t i = 0; i < b.size(); i++) f->Patch(at + i, {b[i]});
              f->HopByHop().Udp(u->Port(), u->Port()).Payload(20).Padding(4);
            }};
  };
  auto extension = [](const char* name, uint8_t type, uint8_t length) -> Part {
    return {name, [type, length](FrameBuilder* f, Universe* u) {
              Ipv6(f, u);
              f->Extension(type, 1).Patch(1, {length}).Tcp(u->Port(), u->Port()).Padding(2);
            }};
  };
  auto udp = [](const char* name, bool six, uint16_t length) -> Part {
    return {name, [six, length](FrameBuilder* f, Universe* u) {
              six ? Ipv6(f, u) : Ipv4(f, u);
              f->Udp(u->Port(), u->Port())
                  .Patch(4, {static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)})
                  .Payload(12)
                  .Padding(1);
            }};
  };
  auto tcp = [](const char* name, bool six, uint8_t offset) -> Part {
    return {name, [six, offset](FrameBuilder* f, Universe* u) {
              six ? Ipv6(f, u) : Ipv4(f, u);
              f->Tcp(u->Port(), u->Port()).Patch(12, {offset}).Payload(12).Padding(30);
            }};
  };
  auto short_transport = [](const char* name, bool six, uint8_t proto, size_t bytes) -> Part {
    return {name, [six, proto, bytes](FrameBuilder* f, Universe* u) {
              six ? Ipv6(f, u) : Ipv4(f, u);
              f->Patch(six ? 6 : 9, {proto}).Payload(bytes).Padding(40);
            }};
  };
  auto plain = [](const char* name, uint16_t type, size_t bytes) -> Part {
    return {name, [type, bytes](FrameBuilder* f, Universe*) { f->EtherType(type).Payload(bytes); }};
  };
  auto jumbo = [](const char* name, uint32_t length, size_t at, uint8_t value) -> Part {
    return {name, [length, at, value](FrameBuilder* f, Universe* u) {
              Ipv6(f, u);
              f->Jumbo(length).Patch(at, {value}).Udp(u->Port(), u->Port()).Patch(4, {0, 0});
            }};
  };
  return {
      v4("version 0", 0, {0x05}),
      v4("version 6", 0, {0x65}),
      v4("header 0", 0, {0x40}),
      v4("header 16", 0, {0x44}),
      v4("header 24 into udp", 0, {0x46}),
      v4("header 60", 0, {0x4f}),
      v4("total 0", 2, {0, 0}),
      v4("total 19", 2, {0, 19}),
      v4("total 20", 2, {0, 20}),
      v4("total 27", 2, {0, 27}),
      v4("total 47", 2, {0, 47}),
      v4("total into the padding", 2, {0, 50}),
      v4("total to the end", 2, {0, 52}),
      v4("total beyond", 2, {0, 53}),
      v4("total 65535", 2, {0xff, 0xff}),
      v4("evil bit", 6, {0x80, 0}),
      v4("second fragment of udp", 6, {0, 1}),
      v6("version 4", 0, {0x40}),
      v6("version 15", 0, {0xf0}),
      v6("length 0", 4, {0, 0}),
      v6("length 7", 4, {0, 7}),
      v6("length 8", 4, {0, 8}),
      v6("length 15", 4, {0, 15}),
      v6("length into the padding", 4, {0, 38}),
      v6("length beyond", 4, {0, 41}),
      v6("length 65535", 4, {0xff, 0xff}),
      v6("next nothing", 6, {59}),
      v6("next itself", 6, {41}),
      v6("next fragment", 6, {44}),
      v6("next ah", 6, {51}),
      {"ipv6 udp at 1022",
       [](FrameBuilder* f, Universe* u) {
         Ipv6(f, u);
         f->DestinationOptions(120).Udp(u->Port(), u->Port()).Payload(4);
       }},
      {"ipv6 tcp at 1102",
       [](FrameBuilder* f, Universe* u) {
         Ipv6(f, u);
         f->DestinationOptions(130).Tcp(u->Port(), u->Port()).Payload(4);
       }},
      {"ipv6 extension at 1102",
       [](FrameBuilder* f, Universe* u) {
         Ipv6(f, u);
         f->DestinationOptions(130).Routing().Udp(u->Port(), u->Port());
       }},
      {"ipv4 tcp first fragment of 4",
       [](FrameBuilder* f, Universe* u) {
         f->Ipv4(6).Ipv4Addresses(u->Ipv4(), u->Ipv4()).Fragment(0, true).Payload(4);
       }},
      {"ipv4 tcp first fragment without options",
       [](FrameBuilder* f, Universe* u) {
         f->Ipv4().Ipv4Addresses(u->Ipv4(), u->Ipv4()).Fragment(0, true);
         f->Tcp(u->Port(), u->Port()).Patch(12, {0x80}).Payload(4).Padding(9);
       }},
      extension("hop length 0", 0, 0),
      extension("hop length 3", 0, 3),
      extension("hop length 4", 0, 4),
      extension("routing length 255", 43, 255),
      extension("dest length 0", 60, 0),
      extension("ah length 0", 51, 0),
      extension("ah length 1", 51, 1),
      extension("ah length 2", 51, 2),
      extension("ah length 9", 51, 9),
      extension("ah length 255", 51, 255),
      extension("shim6 length 128", 140, 128),
      udp("udp4 length 0", false, 0),
      udp("udp4 length 7", false, 7),
      udp("udp4 length 8", false, 8),
      udp("udp4 length beyond", false, 21),
      udp("udp6 length 0", true, 0),
      udp("udp6 length 7", true, 7),
      udp("udp6 length 8", true, 8),
      udp("udp6 length beyond", true, 21),
      tcp("tcp4 offset 0", false, 0),
      tcp("tcp4 offset 4", false, 0x4f),
      tcp("tcp4 offset 8", false, 0x80),
      tcp("tcp4 offset 9", false, 0x90),
      tcp("tcp6 offset 0", true, 0),
      tcp("tcp6 offset 8", true, 0x80),
      tcp("tcp6 offset 15", true, 0xf0),
      short_transport("tcp4 of 19", false, 6, 19),
      short_transport("udp4 of 7", false, 17, 7),
      short_transport("icmp4 of 7", false, 1, 7),
      short_transport("icmpv6 over 4 of 3", false, 58, 3),
      short_transport("icmpv6 over 4 of 4", false, 58, 4),
      short_transport("tcp6 of 19", true, 6, 19),
      short_transport("udp6 of 7", true, 17, 7),
      short_transport("icmpv6 of 3", true, 58, 3),
      short_transport("icmpv6 of 4", true, 58, 4),
      short_transport("icmp over 6 of 7", true, 1, 7),
      plain("arp", 0x0806, 28),
      plain("rarp", 0x8035, 28),
      plain("mpls", 0x8847, 40),
      plain("pppoe", 0x8864, 40),
      plain("lldp", 0x88cc, 46),
      plain("old qinq", 0x9100, 46),
      plain("802.3", 40, 40),
      plain("802.3 length beyond", 1500, 40),
      plain("type 0", 0, 46),
      plain("type ffff", 0xffff, 1),
      plain("ipv4 of nothing", 0x0800, 0),
      plain("ipv4 of anything", 0x0800, 46),
      plain("ipv6 of nothing", 0x86dd, 0),
      plain("ipv6 of anything", 0x86dd, 60),
      jumbo("jumbogram beyond the frame", 70000, 0, 17),
      jumbo("jumbogram of 20", 20, 0, 17),
      jumbo("jumbogram without its option", 70000, 2, 1),
      jumbo("jumbogram with a short option", 70000, 3, 2),
  };
}

Shape Build(const Part& link, const Part& network, const Part& transport, uint64_t number) {
  Universe universe(number);
  FrameBuilder frame;
  frame.Mac({2, 0, 0, 0, 1, universe.Mac()}, {2, 0, 0, 0, 0, universe.Mac()});
  link.add(&frame, &universe);
  network.add(&frame, &universe);
  transport.add(&frame, &universe);
  return {link.name + " " + network.name + transport.name, frame.Build()};
}

}  // namespace

std::vector<Shape> AllShapes() {
  const Part nothing = {"", [](FrameBuilder*, Universe*) {}};
  std::vector<Part> networks = Ipv4Parts();
  for (Part& part : Ipv6Parts()) networks.push_back(std::move(part));
  std::vector<Shape> shapes;
  for (const Part& link : Links()) {
    shapes.push_back(Build(link, nothing, nothing, shapes.size()));
    for (const Part& network : networks) {
      for (const Part& transport : Transports())
        shapes.push_back(Build(link, network, transport, shapes.size()));
    }
    for (const Part& fault : Faults()) shapes.push_back(Build(link, fault, nothing, shapes.size()));
  }
  for (const Part& link : Links()) {
    for (const Request& request : AllRequests()) {
      const Part part = {request.name, [&request](FrameBuilder* f, Universe*) {
                           f->EtherType(request.ether_type).Bytes(request.bytes);
                         }};
      shapes.push_back(Build(link, part, nothing, shapes.size()));
    }
  }
  return shapes;
}

}  // namespace twinpath
