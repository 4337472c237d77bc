// SPDX-License-Identifier: BSD-3-Clause
// Reads a profile from JSON, and the options --port and --lcores. Does not examine the machine.
// Control thread, at set-up.

#include "src/config/profile/profile.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"
#include "src/config/json/mistakes.h"
#include "src/config/policy/names.h"
#include "src/policy/types.h"

namespace twinpath {
namespace {

using Kind = JsonValue::Kind;

constexpr uint64_t kProfileVersion = 1;
constexpr uint32_t kMaxCpu = 1023;  // the limit of cpu_set_t
constexpr char kCpuListAllowed[] =
    "CPU numbers such as \"0-3,6\", each from 0 to 1023, once, ranges upwards";
constexpr char kDeviceAllowed[] =
    "a PCI address, a kernel interface, or a DPDK vdev with its arguments";

constexpr char kIdleAllowed[] = "\"busy\" or \"adaptive\"";

bool IsDevice(std::string_view device) {
  return !device.empty() &&
         std::all_of(device.begin(), device.end(), [](char c) { return c > ' ' && c <= '~'; });
}

absl::StatusOr<std::vector<std::string>> ReadEal(const JsonCursor& eal) {
  std::vector<std::string> arguments;
  if (!eal.Is(Kind::kArray)) return eal.Wrong("an array of strings: EAL's arguments");
  for (size_t i = 0; i < eal.size(); i++) {
    const JsonCursor item = eal.Item(i);
    if (!item.Is(Kind::kString) || item.value().text.empty() ||
        item.value().text.find('\0') != std::string::npos) {
      return item.Wrong("a string: one of EAL's arguments");
    }
    arguments.push_back(item.value().text);
  }
  return arguments;
}

absl::StatusOr<PortSpec> ReadPort(const JsonCursor& port) {
  if (absl::Status s = port.CheckKeys({"name", "device", "checksums"}); !s.ok()) return s;
  JsonCursor name = port.Member("name"), device = port.Member("device");
  if (!name.Is(Kind::kString) || !IsPortName(name.value().text)) {
    return name.Wrong(kPortNameAllowed);
  }
  if (!device.Is(Kind::kString) || !IsDevice(device.value().text)) {
    return device.Wrong(kDeviceAllowed);
  }
  PortSpec spec{name.value().text, device.value().text};
  const JsonCursor checksums = port.Member("checksums");
  if (checksums.present()) {
    const auto setting = ChecksumsOf(checksums.Is(Kind::kString) ? checksums.value().text : "");
    if (!setting.has_value()) return checksums.Wrong(kChecksumsAllowed);
    spec.checksums = *setting;
  }
  return spec;
}

absl::StatusOr<std::vector<PortSpec>> ReadPorts(const JsonCursor& ports) {
  if (!ports.Is(Kind::kArray) || ports.size() > TP_MAX_PORTS) {
    return ports.Wrong(absl::StrCat("an array of at most ", TP_MAX_PORTS, " ports"));
  }
  std::vector<PortSpec> specs;
  for (size_t i = 0; i < ports.size(); i++) {
    absl::StatusOr<PortSpec> spec = ReadPort(ports.Item(i));
    if (!spec.ok()) return spec.status();
    auto same = [&](const std::string PortSpec::*field) {
      return std::find_if(specs.begin(), specs.end(),
                          [&](const PortSpec& s) { return s.*field == (*spec).*field; }) -
             specs.begin();
    };
    for (const auto& [key, field] :
         {std::pair("name", &PortSpec::name), std::pair("device", &PortSpec::device)}) {
      size_t other = static_cast<size_t>(same(field));
      if (other == specs.size()) continue;
      const JsonCursor item = ports.Item(i);
      return item.Member(key).Error(
          absl::StrCat(Quote((*spec).*field), ", the ", key, " of /ports/", other, " too"),
          absl::StrCat("a ", key, " of its own for each port"));
    }
    specs.push_back(*std::move(spec));
  }
  return specs;
}

absl::StatusOr<std::vector<uint32_t>> ReadLcores(const JsonCursor& lcores) {
  if (lcores.Is(Kind::kString)) {
    absl::StatusOr<std::vector<uint32_t>> cpus = ParseCpuList(lcores.value().text);
    if (!cpus.ok()) return lcores.Wrong(kCpuListAllowed);
    return cpus;
  }
  if (!lcores.Is(Kind::kArray)) {
    return lcores.Wrong(absl::StrCat("an array of CPU numbers, or ", kCpuListAllowed));
  }
  std::set<uint32_t> cpus;
  for (size_t i = 0; i < lcores.size(); i++) {
    const JsonCursor item = lcores.Item(i);
    absl::StatusOr<uint64_t> cpu = item.Unsigned(0, kMaxCpu);
    if (!cpu.ok()) return cpu.status();
    if (!cpus.insert(static_cast<uint32_t>(*cpu)).second) {
      return item.Error(absl::StrCat(*cpu, " twice"), "each CPU once");
    }
  }
  return std::vector<uint32_t>(cpus.begin(), cpus.end());
}

absl::StatusOr<ExceptionPath> ReadException(const JsonCursor& c) {
  const std::string& word = c.Is(Kind::kString) ? c.value().text : "";
  if (word == "auto") return ExceptionPath::kAuto;
  if (word == "virtio_user") return ExceptionPath::kVirtioUser;
  if (word == "tap") return ExceptionPath::kTap;
  if (word == "none") return ExceptionPath::kNone;
  return c.Wrong("\"auto\", \"virtio_user\", \"tap\" or \"none\"");
}

std::optional<Idle> IdleOf(std::string_view word) {
  if (word == "busy") return Idle::kBusy;
  if (word == "adaptive") return Idle::kAdaptive;
  return std::nullopt;
}

absl::StatusOr<Idle> ReadIdle(const JsonCursor& c) {
  const std::optional<Idle> idle = IdleOf(c.Is(Kind::kString) ? c.value().text : "");
  if (!idle) return c.Wrong(kIdleAllowed);
  return *idle;
}

absl::StatusOr<uint64_t> ReadFlowMemory(const JsonCursor& c) {
  if (c.Is(Kind::kString) || c.Is(Kind::kUnsigned)) {
    auto bytes = ParseFlowMemory(c.value().text, "");
    if (bytes.ok()) return bytes;
  }
  return c.Wrong(kFlowMemoryAllowed);
}

// Reads the member `key`, if it is present, by read(cursor) into *field.
template <typename Read, typename T>
void ReadMember(const JsonCursor& root, std::string_view key, Read read, T* field,
                absl::Status* status) {
  if (!status->ok()) return;
  JsonCursor member = root.Member(key);
  if (!member.present()) return;
  auto value = read(member);
  if (value.ok()) {
    *field = static_cast<T>(*std::move(value));
  } else {
    *status = value.status();
  }
}

std::optional<uint32_t> ReadCpu(std::string_view text) {
  uint32_t cpu = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpu);
  if (error != std::errc() || end != text.data() + text.size() || cpu > kMaxCpu) {
    return std::nullopt;
  }
  return cpu;
}

}  // namespace

absl::StatusOr<Profile> ParseProfile(std::string_view text, const std::string& file) {
  absl::StatusOr<JsonValue> document = ParseDocument(text, file);
  if (!document.ok()) return document.status();
  JsonCursor root(*document, file);
  if (!root.Is(Kind::kObject)) return root.Wrong("an object with the key version");
  JsonCursor version = root.Member("version");  // first: the other keys depend on it
  if (!version.Is(Kind::kUnsigned) || version.value().number != kProfileVersion) {
    return version.Wrong(absl::StrCat(kProfileVersion));
  }
  absl::Status status =
      root.CheckKeys({"version", "about", "eal", "ports", "queues", "lcores", "rx_descriptors",
                      "tx_descriptors", "mbufs", "mempool_cache", "burst", "mtu", "promiscuous",
                      "rss", "flow_memory", "exception", "telemetry", "idle", "end_with_captures"});
  Profile profile;
  profile.file = file;
  auto range = [](uint64_t min, uint64_t max) {
    return [=](const JsonCursor& c) { return c.Unsigned(min, max); };
  };
  auto flag = [](const JsonCursor& c) { return c.Bool(); };
  auto string = [](const JsonCursor& c) { return c.String("a string"); };
  ReadMember(root, "about", string, &profile.about, &status);
  ReadMember(root, "eal", ReadEal, &profile.eal, &status);
  ReadMember(root, "ports", ReadPorts, &profile.ports, &status);
  ReadMember(root, "queues", range(1, 64), &profile.queues, &status);
  ReadMember(root, "lcores", ReadLcores, &profile.lcores, &status);
  ReadMember(root, "rx_descriptors", range(32, 32768), &profile.rx_descriptors, &status);
  ReadMember(root, "tx_descriptors", range(32, 32768), &profile.tx_descriptors, &status);
  ReadMember(root, "mbufs", range(0, 1 << 24), &profile.mbufs, &status);
  ReadMember(root, "mempool_cache", range(0, 512), &profile.mempool_cache, &status);
  ReadMember(root, "burst", range(1, 64), &profile.burst, &status);
  ReadMember(root, "mtu", range(68, 9702), &profile.mtu, &status);
  ReadMember(root, "promiscuous", flag, &profile.promiscuous, &status);
  ReadMember(root, "rss", ReadRss, &profile.rss, &status);
  ReadMember(root, "flow_memory", ReadFlowMemory, &profile.flow_memory, &status);
  ReadMember(root, "exception", ReadException, &profile.exception, &status);
  ReadMember(root, "telemetry", flag, &profile.telemetry, &status);
  ReadMember(root, "idle", ReadIdle, &profile.idle, &status);
  ReadMember(root, "end_with_captures", flag, &profile.end_with_captures, &status);
  if (!status.ok()) return status;
  return profile;
}

absl::StatusOr<Profile> LoadProfile(const std::string& path) {
  absl::StatusOr<std::string> text = ReadDocument(path);
  if (!text.ok()) return text.status();
  absl::StatusOr<Profile> profile = ParseProfile(*text, path);
  if (!profile.ok()) return InOneLine(profile.status(), *text);
  return profile;
}

absl::StatusOr<PortSpec> ParsePortSpec(std::string_view text) {
  size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return FoundError("--port", "", Quote(text), "NAME=DEVICE");
  }
  PortSpec spec{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
  if (!IsPortName(spec.name)) {
    return FoundError("--port", "", absl::StrCat(Quote(spec.name), " as the name in ", Quote(text)),
                      kPortNameAllowed);
  }
  if (!IsDevice(spec.device)) {
    return FoundError("--port", "",
                      absl::StrCat(Quote(spec.device), " as the device in ", Quote(text)),
                      kDeviceAllowed);
  }
  return spec;
}

absl::StatusOr<Idle> ParseIdle(std::string_view text) {
  const std::optional<Idle> idle = IdleOf(text);
  if (!idle) return FoundError("--idle", "", Quote(text), kIdleAllowed);
  return *idle;
}

absl::StatusOr<std::vector<uint32_t>> ParseCpuList(std::string_view text) {
  std::set<uint32_t> cpus;
  const absl::Status wrong = FoundError("--lcores", "", Quote(text), kCpuListAllowed);
  for (size_t start = 0; start <= text.size();) {
    size_t comma = std::min(text.find(',', start), text.size());
    std::string_view part = text.substr(start, comma - start);
    size_t dash = part.find('-');
    std::optional<uint32_t> first = ReadCpu(part.substr(0, dash)), last = first;
    if (dash != std::string_view::npos) last = ReadCpu(part.substr(dash + 1));
    if (!first || !last || *first > *last) return wrong;
    for (uint32_t cpu = *first; cpu <= *last; cpu++) {
      if (cpus.insert(cpu).second) continue;
      return FoundError("--lcores", "", absl::StrCat("CPU ", cpu, " twice in ", Quote(text)),
                        "each CPU once");
    }
    start = comma + 1;
  }
  return std::vector<uint32_t>(cpus.begin(), cpus.end());
}

}  // namespace twinpath
