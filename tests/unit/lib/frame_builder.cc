// SPDX-License-Identifier: BSD-3-Clause
// The headers of FrameBuilder, byte by byte. For tests; any thread.

#include "tests/unit/lib/frame_builder.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace twinpath {
namespace {

void Put16(std::vector<uint8_t>* bytes, size_t offset, size_t value) {
  (*bytes)[offset] = static_cast<uint8_t>(value >> 8);
  (*bytes)[offset + 1] = static_cast<uint8_t>(value);
}

void Put32(std::vector<uint8_t>* bytes, size_t offset, uint32_t value) {
  Put16(bytes, offset, value >> 16);
  Put16(bytes, offset + 2, value & 0xffff);
}

// RFC 1071.
uint16_t Checksum(const std::vector<uint8_t>& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

}  // namespace

FrameBuilder::FrameBuilder() {
  Add(Kind::kLink, 0, {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5});
}

FrameBuilder::Layer& FrameBuilder::Add(Kind kind, uint16_t type, std::vector<uint8_t> bytes) {
  layers_.push_back({kind, type, std::move(bytes), {}});
  return layers_.back();
}

FrameBuilder& FrameBuilder::Mac(std::initializer_list<uint8_t> dst,
                                std::initializer_list<uint8_t> src) {
  std::copy(dst.begin(), dst.end(), layers_[0].bytes.begin());
  std::copy(src.begin(), src.end(), layers_[0].bytes.begin() + 6);
  return *this;
}

FrameBuilder& FrameBuilder::EtherType(uint16_t type) {
  Layer& last = layers_.back();
  Put16(&last.bytes, last.bytes.size() - 2, type);
  return *this;
}

FrameBuilder& FrameBuilder::Vlan(uint16_t tci, uint16_t tpid) {
  Layer& tag = Add(Kind::kLink, tpid, {0, 0, 0x88, 0xb5});
  Put16(&tag.bytes, 0, tci);
  return *this;
}

FrameBuilder& FrameBuilder::Ipv4(uint8_t proto) {
  Add(Kind::kIpv4, 0x0800,
      {0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, proto, 0, 0, 10, 1, 0, 1, 10, 2, 0, 2});
  return *this;
}

FrameBuilder& FrameBuilder::Ipv4Addresses(uint32_t src, uint32_t dst) {
  assert(layers_.back().kind == Kind::kIpv4);
  Put32(&layers_.back().bytes, 12, src);
  Put32(&layers_.back().bytes, 16, dst);
  return *this;
}

FrameBuilder& FrameBuilder::Ipv6(uint8_t proto) {
  std::vector<uint8_t> header(40, 0);
  header[0] = 0x60;
  header[6] = proto;
  header[7] = 64;
  for (size_t at : {8, 24}) {
    Put32(&header, at, 0x20010db8);
    header[at + 15] = at == 8 ? 1 : 2;
  }
  Add(Kind::kIpv6, 0x86dd, std::move(header));
  return *this;
}

FrameBuilder& FrameBuilder::Options(size_t size) {
  layers_.back().bytes.resize(layers_.back().bytes.size() + size, 1);  // no-operation, in both
  return *this;
}

FrameBuilder& FrameBuilder::Fragment(uint16_t offset, bool more) {
  if (layers_.back().kind == Kind::kIpv4) {
    Put16(&layers_.back().bytes, 6, (more ? 0x2000U : 0U) | offset);
    return *this;
  }
  Layer& header = Add(Kind::kExtension, 44, {59, 0, 0, 0, 0, 0, 0x12, 0x34});
  Put16(&header.bytes, 2, offset * 8U + (more ? 1 : 0));
  return *this;
}

FrameBuilder& FrameBuilder::Extension(uint8_t type, size_t units) {
  std::vector<uint8_t> header(8 + 8 * units, 0);  // Pad1 options
  header[0] = 59;
  header[1] = static_cast<uint8_t>(units);
  Add(Kind::kExtension, type, std::move(header));
  return *this;
}

FrameBuilder& FrameBuilder::Jumbo(uint32_t length) {
  Layer& header = Add(Kind::kExtension, 0, {59, 0, 0xc2, 4, 0, 0, 0, 0});
  Put32(&header.bytes, 4, length);
  jumbo_ = true;
  return *this;
}

FrameBuilder& FrameBuilder::Authentication(size_t icv) {
  std::vector<uint8_t> header(12 + icv, 0xa5);
  header[0] = 59;
  header[1] = static_cast<uint8_t>(header.size() / 4 - 2);
  Add(Kind::kExtension, 51, std::move(header));
  return *this;
}

FrameBuilder& FrameBuilder::Udp(uint16_t src, uint16_t dst) {
  Layer& header = Add(Kind::kTransport, 17, std::vector<uint8_t>(8, 0));
  Put16(&header.bytes, 0, src);
  Put16(&header.bytes, 2, dst);
  return *this;
}

FrameBuilder& FrameBuilder::Tcp(uint16_t src, uint16_t dst, uint8_t flags) {
  Layer& header = Add(Kind::kTransport, 6, std::vector<uint8_t>(20, 0));
  Put16(&header.bytes, 0, src);
  Put16(&header.bytes, 2, dst);
  header.bytes[13] = flags;
  return *this;
}

FrameBuilder& FrameBuilder::Icmp() {
  Add(Kind::kTransport, 1, {8, 0, 0, 0, 0, 1, 0, 1});
  return *this;
}

FrameBuilder& FrameBuilder::Icmpv6() {
  Add(Kind::kTransport, 58, {128, 0, 0, 0, 0, 1, 0, 1});
  return *this;
}

FrameBuilder& FrameBuilder::Payload(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<uint8_t>(0x80 | i);
  return Bytes(std::move(bytes));
}

FrameBuilder& FrameBuilder::Bytes(std::vector<uint8_t> bytes) {
  Add(Kind::kPayload, 0, std::move(bytes));
  return *this;
}

FrameBuilder& FrameBuilder::Padding(size_t size) {
  Add(Kind::kPadding, 0, std::vector<uint8_t>(size, 0xee));
  return *this;
}

FrameBuilder& FrameBuilder::Patch(size_t offset, std::initializer_list<uint8_t> bytes) {
  layers_.back().overrides.push_back({offset, bytes});
  return *this;
}

// Writes the type of the next layer into `layer`.
void FrameBuilder::Link(Layer* layer, const Layer& next) {
  const bool packet = next.kind == Kind::kExtension || next.kind == Kind::kTransport;
  const bool frame =
      next.kind == Kind::kLink || next.kind == Kind::kIpv4 || next.kind == Kind::kIpv6;
  if (layer->kind == Kind::kLink && frame) {
    Put16(&layer->bytes, layer->bytes.size() - 2, next.type);
  } else if (packet && layer->kind == Kind::kIpv4) {
    layer->bytes[9] = static_cast<uint8_t>(next.type);
  } else if (packet && layer->kind == Kind::kIpv6) {
    layer->bytes[6] = static_cast<uint8_t>(next.type);
  } else if (packet && layer->kind == Kind::kExtension) {
    layer->bytes[0] = static_cast<uint8_t>(next.type);
  }
}

// Writes the lengths of `layer`. There are `datagram` bytes between its start and the padding.
void FrameBuilder::SetLengths(Layer* layer, size_t datagram) {
  if (layer->kind == Kind::kIpv4) {
    layer->bytes[0] = static_cast<uint8_t>(0x40 | layer->bytes.size() / 4);
    Put16(&layer->bytes, 2, datagram);
    Put16(&layer->bytes, 10, 0);
    Put16(&layer->bytes, 10, Checksum(layer->bytes));
  } else if (layer->kind == Kind::kIpv6) {
    Put16(&layer->bytes, 4, datagram - 40);
  } else if (layer->kind == Kind::kTransport && layer->type == 17) {
    Put16(&layer->bytes, 4, datagram);
  } else if (layer->kind == Kind::kTransport && layer->type == 6) {
    layer->bytes[12] = static_cast<uint8_t>(layer->bytes.size() / 4 << 4);
  }
}

std::vector<uint8_t> FrameBuilder::Build() const {
  std::vector<Layer> layers = layers_;
  for (size_t i = 0; i + 1 < layers.size(); i++) Link(&layers[i], layers[i + 1]);
  size_t datagram = 0;
  for (size_t i = layers.size(); i-- > 0;) {
    if (layers[i].kind != Kind::kPadding) datagram += layers[i].bytes.size();
    SetLengths(&layers[i], datagram);
    if (layers[i].kind == Kind::kIpv6 && jumbo_) Put16(&layers[i].bytes, 4, 0);
  }
  std::vector<uint8_t> frame;
  for (Layer& layer : layers) {
    for (const Override& o : layer.overrides) {
      std::copy(o.bytes.begin(), o.bytes.end(),
                layer.bytes.begin() + static_cast<ptrdiff_t>(o.offset));
    }
    frame.insert(frame.end(), layer.bytes.begin(), layer.bytes.end());
  }
  return frame;
}

}  // namespace twinpath
