// SPDX-License-Identifier: BSD-3-Clause
// Converts JSON answers to rte_tel_data. The callbacks run on librte_telemetry's threads, several
// at once and concurrently with the lcores.

#include "src/dpdk/telemetry.h"

#include <rte_telemetry.h>
#include <rte_version.h>

#include <mutex>
#include <string>
#include <string_view>

#include "nlohmann/json.hpp"
#include "src/dpdk/dpdk_path.h"
#include "src/telemetry/json.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

std::mutex serving;                // held while an answer is prepared
const DpdkPath* served = nullptr;  // guarded by `serving`

// librte_telemetry has only integers, and strings of up to RTE_TEL_MAX_STRING_LEN bytes.
std::string AsText(const ordered_json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Splits a long string over several entries, so that nothing is cut: NAME, NAME_2, NAME_3, ...
void AddText(rte_tel_data* to, const std::string& key, const std::string& text) {
  constexpr size_t kMost = RTE_TEL_MAX_STRING_LEN - 1;
  rte_tel_data_add_dict_string(to, key.c_str(), text.substr(0, kMost).c_str());
  for (size_t at = kMost, part = 2; at < text.size(); at += kMost, part++) {
    rte_tel_data_add_dict_string(to, (key + "_" + std::to_string(part)).c_str(),
                                 text.substr(at, kMost).c_str());
  }
}

// DPDK 22.11 has only rte_tel_data_add_dict_u64; 24.11 deprecates it.
void AddNumber(rte_tel_data* to, const std::string& key, uint64_t number) {
#if RTE_VERSION < RTE_VERSION_NUM(23, 11, 0, 0)
  rte_tel_data_add_dict_u64(to, key.c_str(), number);
#else
  rte_tel_data_add_dict_uint(to, key.c_str(), number);
#endif
}

void Fill(rte_tel_data* to, const ordered_json& from);

void AddEntry(rte_tel_data* to, const std::string& key, const ordered_json& value) {
  if (value.is_object()) {
    rte_tel_data* inner = rte_tel_data_alloc();
    if (inner == nullptr) return;
    Fill(inner, value);
    rte_tel_data_add_dict_container(to, key.c_str(), inner, 0);
  } else if (value.is_number_unsigned()) {
    AddNumber(to, key, value.get<uint64_t>());
  } else if (value.is_number_integer() && value.get<int64_t>() >= INT32_MIN) {
    rte_tel_data_add_dict_int(to, key.c_str(), static_cast<int>(value.get<int64_t>()));
  } else {
    AddText(to, key, AsText(value));
  }
}

void Fill(rte_tel_data* to, const ordered_json& from) {
  rte_tel_data_start_dict(to);
  for (const auto& [key, value] : from.items()) AddEntry(to, key, value);
}

int Answer(const char* command, const char* parameters, rte_tel_data* data) {
  std::lock_guard<std::mutex> one(serving);
  ordered_json answer;
  if (served != nullptr) {
    answer =
        AnswerCommand(served->TakeSnapshot(), command, parameters != nullptr ? parameters : "");
  } else {
    answer["error"] = "no datapath is running";
  }
  Fill(data, answer);
  return 0;
}

}  // namespace

void ServeTelemetry(const DpdkPath* datapath) {
  std::lock_guard<std::mutex> one(serving);
  served = datapath;
  for (const TelemetryCommand& command : TelemetryCommands())
    rte_telemetry_register_cmd(command.name.c_str(), Answer, command.help.c_str());
}

void StopTelemetry(const DpdkPath* datapath) {
  std::lock_guard<std::mutex> one(serving);
  if (served == datapath) served = nullptr;
}

}  // namespace twinpath
