// SPDX-License-Identifier: BSD-3-Clause
// The options are those of dpdk-testpmd 22.11 (DPDK's Testpmd Application User Guide, "Command-line
// Options"). twinpath-testpmd(7) has the table for readers.

#include "apps/twinpath-dpdk/testpmd.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace twinpath {
namespace {

struct Habit {
  std::string_view option;  // without the leading dashes
  const char* here;
};

constexpr char kRss[] = "the profile's \"rss\", see twinpath-profile(5)";
constexpr char kTelemetry[] = "twinpath stats --watch, twinpath set and twinpath reload";
constexpr char kQueues[] = "--queues N, which is for RX and TX";

constexpr Habit kModes[] = {
    {"io", "--forward wire"},
    {"mac", "--forward wire, which does not change MAC addresses"},
    {"macswap", "--forward reflect, which sends frames back by their own port"},
    {"rxonly", "--forward drop"},
    {"txonly", "twinpath generate --port DEVICE"},
    {"flowgen", "twinpath generate --port DEVICE --flows N"},
    {"csum", "--forward wire --checksums complete"},
    {"5tswap", "--forward reflect-flow, which sends frames back by their own port"},
    {"icmpecho", "--forward reflect-echo"},
};

constexpr Habit kHabits[] = {
    {"rxq", kQueues},
    {"txq", kQueues},
    {"nb-cores", "--lcores LIST, the CPUs themselves"},
    {"coremask", "--lcores LIST"},
    {"nb-ports", "--port NAME=DEVICE, once for each port"},
    {"portmask", "--port NAME=DEVICE, once for each port"},
    {"portlist", "--port NAME=DEVICE, once for each port"},
    {"port-topology", "--forward wire (paired) or --forward reflect (loop)"},
    {"eth-peer", "nothing: forwarded frames keep their MAC addresses"},
    {"eth-peers-configfile", "nothing: forwarded frames keep their MAC addresses"},
    {"stats-period", "--stats-interval S"},
    {"display-xstats", "twinpath stats"},
    {"tx-first", "twinpath generate --port DEVICE at the other end"},
    {"txpkts", "twinpath generate --size BYTES"},
    {"flowgen-flows", "twinpath generate --flows N"},
    {"flowgen-clones", "twinpath generate --flows N"},
    {"tx-ip", "twinpath generate --src and --dst"},
    {"tx-udp", "twinpath generate --src-port and --dst-port"},
    {"total-num-mbufs", "the profile's \"mbufs\""},
    {"mbcache", "the profile's \"mempool_cache\""},
    {"mbuf-size", "the profile's \"mtu\""},
    {"max-pkt-len", "the profile's \"mtu\""},
    {"disable-rss", kRss},
    {"rss-ip", kRss},
    {"rss-udp", kRss},
    {"rss-level-inner", kRss},
    {"rss-level-outer", kRss},
    {"rxpt", "nothing: the PMD's own thresholds are used"},
    {"rxht", "nothing: the PMD's own thresholds are used"},
    {"rxwt", "nothing: the PMD's own thresholds are used"},
    {"rxfreet", "nothing: the PMD's own thresholds are used"},
    {"txpt", "nothing: the PMD's own thresholds are used"},
    {"txht", "nothing: the PMD's own thresholds are used"},
    {"txwt", "nothing: the PMD's own thresholds are used"},
    {"txfreet", "nothing: the PMD's own thresholds are used"},
    {"txrst", "nothing: the PMD's own thresholds are used"},
    {"numa", "nothing: memory is always that of the port's NUMA node"},
    {"no-numa", "nothing: memory is always that of the port's NUMA node"},
    {"socket-num", "nothing: memory is always that of the port's NUMA node"},
    {"record-core-cycles", "/twinpath/lcores of the telemetry socket"},
    {"record-burst-stats", "/twinpath/lcores of the telemetry socket"},
    {"interactive", kTelemetry},
    {"i", kTelemetry},
    {"cmdline-file", kTelemetry},
    {"auto-start", "nothing: forwarding starts at once"},
    {"a-start", "nothing: forwarding starts at once"},
    {"no-flush-rx", "nothing: no frame is dropped at the start"},
    {"hot-plug", "nothing: ports that come back are used again, see twinpath-faults(7)"},
};

// EAL's options that choose what options before "--" choose here.
constexpr Habit kEal[] = {
    {"l", "--lcores LIST"},
    {"c", "--lcores LIST"},
    {"a", "--port NAME=PCI-ADDRESS"},
    {"w", "--port NAME=PCI-ADDRESS"},
    {"allow", "--port NAME=PCI-ADDRESS"},
    {"vdev", "--port NAME=VDEV, such as a=net_null0"},
    {"m", "-- -m MEGABYTES, behind all other options"},
    {"n", "-- -n CHANNELS, behind all other options"},
    {"no-pci", "-- --no-pci, behind all other options"},
    {"in-memory", "nothing: memory is private unless EAL is told otherwise"},
    {"log-level", "-- --log-level=LEVEL, behind all other options"},
    {"proc-type", "-- --proc-type=TYPE, behind all other options"},
    {"socket-mem", "-- --socket-mem=MEGABYTES, behind all other options"},
};

// Options of testpmd that have the same name and meaning here.
constexpr std::string_view kSame[] = {"rxd", "txd", "burst"};

struct Word {
  std::string option, value;  // of "--option=value", without dashes; no option: empty
};

Word WordOf(const std::string& text) {
  const size_t dashes = text.rfind("--", 0) == 0 ? 2 : text.rfind('-', 0) == 0 ? 1 : 0;
  if (dashes == 0) return {};
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return {text.substr(dashes), ""};
  return {text.substr(dashes, equals - dashes), text.substr(equals + 1)};
}

template <size_t kSize>
const char* Find(const Habit (&habits)[kSize], std::string_view option) {
  const auto found = std::find_if(std::begin(habits), std::end(habits),
                                  [option](const Habit& habit) { return habit.option == option; });
  return found == std::end(habits) ? nullptr : found->here;
}

absl::Status Error(const std::string& option, const char* of, const std::string& here) {
  return absl::InvalidArgumentError(
      absl::StrCat(option, " is an option of ", of, "; here: ", here));
}

// --forward-mode=MODE or --forward-mode MODE.
absl::Status ModeError(const std::string& option, const std::string& mode) {
  const char* here = Find(kModes, mode);
  return Error(absl::StrCat(option, mode.empty() ? "" : "=", mode), "dpdk-testpmd",
               here != nullptr ? here : "--forward WHAT, see twinpath-testpmd(7)");
}

}  // namespace

absl::Status CheckTestpmdHabits(const std::vector<std::string>& own,
                                const std::vector<std::string>& eal) {
  const auto check = [](const std::vector<std::string>& words, bool before) -> absl::Status {
    for (size_t i = 0; i < words.size(); i++) {
      const Word word = WordOf(words[i]);
      const std::string option = words[i].substr(0, words[i].find('='));
      if (word.option.empty()) continue;
      if (word.option == "forward-mode")
        return ModeError(option,
                         word.value.empty() && i + 1 < words.size() ? words[i + 1] : word.value);
      if (const char* here = Find(kHabits, word.option)) return Error(option, "dpdk-testpmd", here);
      if (!before && std::find(std::begin(kSame), std::end(kSame), word.option) != std::end(kSame))
        return absl::InvalidArgumentError(
            absl::StrCat(option, " is an option of twinpath-dpdk: give it before --"));
      const char* here = before ? Find(kEal, word.option) : nullptr;
      if (here != nullptr) return Error(option, "EAL", here);
    }
    return absl::OkStatus();
  };
  if (absl::Status habits = check(own, true); !habits.ok()) return habits;
  return check(eal, false);
}

}  // namespace twinpath
