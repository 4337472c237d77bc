// SPDX-License-Identifier: BSD-3-Clause
// Builds frames, layer by layer: FrameBuilder().Vlan(5).Ipv4().Options(4).Udp().Payload(9). Owns
// the bytes. Build() fills in lengths, next protocols and the IPv4 header checksum, then applies
// the bytes of Patch(). For tests; any thread.

#ifndef TWINPATH_TESTS_UNIT_LIB_FRAME_BUILDER_H_
#define TWINPATH_TESTS_UNIT_LIB_FRAME_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace twinpath {

class FrameBuilder {
 public:
  // Starts with an Ethernet header from 02:00:00:00:00:01 to 02:00:00:00:00:02. Its EtherType is
  // 0x88b5, for local experiments, unless a layer with an EtherType follows.
  FrameBuilder();

  FrameBuilder& Mac(std::initializer_list<uint8_t> dst, std::initializer_list<uint8_t> src);
  // Sets the EtherType of the last Ethernet header or tag.
  FrameBuilder& EtherType(uint16_t type);
  FrameBuilder& Vlan(uint16_t tci, uint16_t tpid = 0x8100);

  // 10.1.0.1 -> 10.2.0.2, protocol 253 (for experiments) unless a transport header follows.
  FrameBuilder& Ipv4(uint8_t proto = 253);
  FrameBuilder& Ipv4Addresses(uint32_t src, uint32_t dst);  // host order
  // 2001:db8::1 -> 2001:db8::2, protocol 59 (nothing follows) unless a header follows.
  FrameBuilder& Ipv6(uint8_t proto = 59);
  // Appends `size` bytes of options (a multiple of 4) to the last header, which is IPv4 or TCP.
  FrameBuilder& Options(size_t size);
  // Sets the fragment fields of the last header if it is IPv4, else appends an IPv6 fragment
  // header. `offset` is in units of 8 bytes.
  FrameBuilder& Fragment(uint16_t offset, bool more);
  // An extension header of 8 + 8 * `units` bytes.
  FrameBuilder& Extension(uint8_t type, size_t units = 0);
  FrameBuilder& HopByHop(size_t units = 0) { return Extension(0, units); }
  FrameBuilder& Routing(size_t units = 0) { return Extension(43, units); }
  FrameBuilder& DestinationOptions(size_t units = 0) { return Extension(60, units); }
  // Hop-by-hop options with a jumbo payload option of `length` bytes; the IPv6 length becomes 0.
  FrameBuilder& Jumbo(uint32_t length);
  // An authentication header of 12 bytes and `icv` more (a multiple of 4).
  FrameBuilder& Authentication(size_t icv = 12);

  FrameBuilder& Udp(uint16_t src = 1111, uint16_t dst = 2222);
  FrameBuilder& Tcp(uint16_t src = 1111, uint16_t dst = 2222, uint8_t flags = 0x10);
  FrameBuilder& Icmp();    // an echo request: 8 bytes
  FrameBuilder& Icmpv6();  // the same
  FrameBuilder& Payload(size_t size);
  FrameBuilder& Bytes(std::vector<uint8_t> bytes);  // a given payload
  FrameBuilder& Padding(size_t size);               // after the datagram; no length includes it

  // Overrides bytes of the last layer, after Build() has filled in everything else.
  FrameBuilder& Patch(size_t offset, std::initializer_list<uint8_t> bytes);

  std::vector<uint8_t> Build() const;

 private:
  enum class Kind { kLink, kIpv4, kIpv6, kExtension, kTransport, kPayload, kPadding };
  struct Override {
    size_t offset;
    std::vector<uint8_t> bytes;
  };
  struct Layer {
    Kind kind;
    uint16_t type;  // EtherType (links and IP), else protocol
    std::vector<uint8_t> bytes;
    std::vector<Override> overrides;
  };

  Layer& Add(Kind kind, uint16_t type, std::vector<uint8_t> bytes);
  static void Link(Layer* layer, const Layer& next);
  static void SetLengths(Layer* layer, size_t datagram);

  std::vector<Layer> layers_;
  bool jumbo_ = false;
};

}  // namespace twinpath

#endif  // TWINPATH_TESTS_UNIT_LIB_FRAME_BUILDER_H_
