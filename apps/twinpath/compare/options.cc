// SPDX-License-Identifier: BSD-3-Clause

#include "apps/twinpath/compare/options.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "src/config/profile/profile.h"
#include "src/kernel/link/link.h"
#include "src/kernel/machine.h"

namespace twinpath {
namespace {

struct Setting {
  const char* option;
  const char* key;  // of a profile
  const char* type;
  const char* help;
  bool list;
};

constexpr Setting kSettings[] = {
    {"--engine", "engines", "NAME,...", "Engines and yardsticks to run (default: all)", true},
    {"--size", "sizes", "BYTES,...", "Sizes of frames, without FCS (default: 64,1514)", true},
    {"--loss", "loss", "PCT,...",
     "Losses of every rule; policy: the policy's own (default: policy)", true},
    {"--load", "loads", "PCT,...",
     "Shares of the throughput at which latency is measured (default: 10%,50%,90%)", true},
    {"--rate", "rates", "PPS,...", "Rates to offer beside those of the search (default: none)",
     true},
    {"--repetitions", "repetitions", "N", "How often all is measured (default: 4)", false},
    {"--load-repetitions", "load_repetitions", "N",
     "In how many of these latency is measured (default: 1)", false},
    {"--trial", "trial", "TIME", "How long a trial of the search sends (default: 300ms)", false},
    {"--load-trial", "load_trial", "TIME", "How long a trial for latency sends (default: 500ms)",
     false},
    {"--tolerate", "tolerate", "PCT", "Unintended loss of a trial that passes (default: 0.1%)",
     false},
    {"--resolution", "resolution", "PCT", "How near the search's bounds come (default: 5%)", false},
    {"--flows", "flows", "N", "Five-tuples of the generated packets (default: 64)", false},
    {"--rules", "rules", "N", "Five-tuple rules to add that match no generated packet (default: 0)",
     false},
    {"--queues", "queues", "N", "Queues of each port (default: 1)", false},
    {"--budget", "budget", "TIME", "The time after which no engine is started (default: 9m)",
     false},
};

// A number as it is, anything else as a JSON string.
std::string JsonOf(const std::string& text) {
  int64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? absl::StrCat(number) : nlohmann::json(text).dump();
}

// "lan=eth1" of --port for `name`; empty: it is not given.
absl::StatusOr<std::string> DeviceOf(const std::vector<std::string>& ports,
                                     const std::string& name) {
  std::string device;
  for (const std::string& text : ports) {
    const auto port = ParsePortSpec(text);
    if (!port.ok()) return port.status();
    if (port->name != "lan" && port->name != "wan")
      return absl::InvalidArgumentError(
          absl::StrCat("--port: found ", port->name, ", allowed lan and wan"));
    if (port->name != name) continue;
    if (!device.empty())
      return absl::InvalidArgumentError(absl::StrCat("--port: port ", name, " is given twice"));
    device = port->device;
  }
  return device;
}

}  // namespace

void AddCompareOptions(CLI::App* compare, CompareOptions* options) {
  compare->add_option("POLICY", options->policy, "The policy's JSON file")
      ->type_name("FILE")
      ->required();
  compare
      ->add_option("--profile", options->profile,
                   "What to measure (JSON); the options below change it")
      ->type_name("FILE");
  for (const Setting& setting : kSettings) {
    const std::string key = setting.key;
    compare
        ->add_option_function<std::string>(
            setting.option, [options, key](const std::string& text) { options->given[key] = text; },
            setting.help)
        ->type_name(setting.type);
  }
  compare
      ->add_option("--port", options->ports,
                   "Use this interface or PCI address as lan or wan (default: a lab of its own)")
      ->type_name("NAME=DEVICE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
  compare
      ->add_option("--generator-port", options->generator_port,
                   "The interface that is connected to lan")
      ->type_name("IFACE");
  compare
      ->add_option("--receiver-port", options->receiver_port,
                   "The interface that is connected to wan")
      ->type_name("IFACE");
  compare
      ->add_option("--programs", options->programs,
                   "Run Twinpath's programs of this folder (default: that of this program)")
      ->type_name("DIR");
  compare->add_option("--report", options->report, "Write page, JSON and CSV to this folder")
      ->type_name("DIR")
      ->capture_default_str();
  compare->add_flag("--resume", options->resume,
                    "Go on with what the folder's run has not measured");
  compare->add_option("--against", options->against, "Compare with the results (JSON) of this run")
      ->type_name("FILE");
  CLI::Option* json = compare->add_flag("--json", options->json, "Print the results as JSON");
  compare->add_flag("--csv", options->csv, "Print all trials as CSV")->excludes(json);
}

absl::StatusOr<CompareSettings> SettingsOf(const CompareOptions& options) {
  CompareSettings settings;
  if (!options.profile.empty()) {
    auto profile = LoadCompareProfile(options.profile);
    if (!profile.ok()) return profile.status();
    settings = *std::move(profile);
  }
  for (const Setting& setting : kSettings) {
    const auto given = options.given.find(setting.key);
    if (given == options.given.end()) continue;
    std::vector<std::string> items;
    if (setting.list) {
      for (const std::string& item : std::vector<std::string>(absl::StrSplit(given->second, ',')))
        if (!item.empty()) items.push_back(JsonOf(item));
    } else {
      items.push_back(JsonOf(given->second));
    }
    const std::string json =
        setting.list ? absl::StrCat("[", absl::StrJoin(items, ","), "]") : items.front();
    if (absl::Status s = SetCompareKey(setting.key, json, setting.option, &settings); !s.ok())
      return s;
  }
  return settings;
}

absl::StatusOr<LabLinks> LinksOf(const CompareOptions& options) {
  const auto lan = DeviceOf(options.ports, "lan"), wan = DeviceOf(options.ports, "wan");
  if (!lan.ok()) return lan.status();
  if (!wan.ok()) return wan.status();
  LabLinks links;
  if (lan->empty() && wan->empty() && options.generator_port.empty() &&
      options.receiver_port.empty())
    return links;
  if (lan->empty() || wan->empty() || options.generator_port.empty() ||
      options.receiver_port.empty())
    return absl::InvalidArgumentError(
        "--port lan=DEVICE, --port wan=DEVICE, --generator-port and --receiver-port are given "
        "together, or none of them");
  links = {options.generator_port, *lan, *wan, options.receiver_port, false};
  for (const std::string& name : {links.generator, links.lan, links.wan, links.receiver})
    if (!NormalPci(name) && IndexOfLink(name) == 0)
      return absl::InvalidArgumentError(absl::StrCat("there is no interface ", name));
  return links;
}

}  // namespace twinpath
