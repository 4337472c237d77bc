// SPDX-License-Identifier: BSD-3-Clause
// Checks which interfaces receive frames whose TCP and UDP checksums are unfinished, and what their
// ports do with these frames. Main thread.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/doctor/checks.h"
#include "src/kernel/shell_word.h"

namespace twinpath {
namespace {

using Grade = Finding::Grade;
using Path = Finding::Path;

constexpr size_t kMaxNames = 4;  // in the subject of one finding

bool SendersLeave(const DoctorHost& host, const DoctorNeeds::Nic& nic) {
  if (nic.native || !host.machine().InterfaceExists(nic.interface)) return false;
  return CompletesChecksums(Checksums::kAuto, host.machine().InterfaceDriver(nic.interface));
}

// The command that lets the senders behind an interface finish their checksums.
std::string TurnOff(const DoctorHost& host, const std::string& interface) {
  const auto peer = host.PeerOf(interface);
  if (peer) return absl::StrCat("ethtool -K ", ShellWord(peer->name), " tx off");
  return "at the senders: ethtool -K IFACE tx off";
}

void CheckPort(const DoctorHost& host, const DoctorNeeds::Nic& nic, Findings* findings) {
  const std::string driver = host.machine().InterfaceDriver(nic.interface);
  Finding finding = {.path = Path::kDpdk,
                     .check = "checksums",
                     .subject = absl::StrCat("port ", nic.port, ", ", nic.interface),
                     .found = absl::StrCat("senders behind ", driver,
                                           " leave TCP and UDP checksums to a NIC; the port ")};
  if (CompletesChecksums(nic.checksums, driver)) {
    finding.grade = Grade::kNote;
    absl::StrAppend(&finding.found, "finishes them");
    finding.needed = "nothing; but checksums that the senders finish cost the port less";
    finding.fix = TurnOff(host, nic.interface);
  } else {
    finding.grade = Grade::kWarning;
    absl::StrAppend(&finding.found, "sends them unfinished (\"checksums\": \"leave\")");
    finding.needed = "finished checksums: the receivers drop other packets";
    finding.fix = absl::StrCat("set \"checksums\": \"complete\" in the profile, or ",
                               TurnOff(host, nic.interface));
  }
  findings->push_back(finding);
}

// Without a profile: one finding for all such interfaces, and one for TAP devices.
void CheckAll(const std::vector<std::string>& all, const std::vector<std::string>& taps,
              Findings* findings) {
  const auto names = [](const std::vector<std::string>& list) {
    std::string text;
    for (size_t i = 0; i < std::min(list.size(), kMaxNames); i++)
      absl::StrAppend(&text, i == 0 ? "" : ", ", list[i]);
    if (list.size() > kMaxNames) absl::StrAppend(&text, " and ", list.size() - kMaxNames, " more");
    return text;
  };
  if (!all.empty())
    findings->push_back({.grade = Grade::kNote,
                         .check = "checksums",
                         .subject = names(all),
                         .found = "senders leave TCP and UDP checksums to a NIC; ports on these "
                                  "interfaces finish them, unless --checksums leave is given"});
  if (!taps.empty())
    findings->push_back({.grade = Grade::kNote,
                         .check = "checksums",
                         .subject = names(taps),
                         .found = "twinpath-xdp in generic mode sends frames into a TAP device "
                                  "with unfinished checksums, and hosts behind it drop them",
                         .needed = "native mode, or senders that finish their checksums",
                         .fix = "twinpath-xdp --mode native, or at the senders: ethtool -K IFACE "
                                "tx off"});
}

}  // namespace

void CheckChecksums(const DoctorHost& host, const DoctorNeeds& needs, Findings* findings) {
  std::vector<std::string> all, taps;
  for (const DoctorNeeds::Nic& nic : needs.nics) {
    if (!SendersLeave(host, nic)) continue;
    if (!nic.port.empty()) {
      CheckPort(host, nic, findings);
      continue;
    }
    all.push_back(nic.interface);
    if (host.machine().InterfaceDriver(nic.interface) == "tun") taps.push_back(nic.interface);
  }
  CheckAll(all, taps, findings);
}

}  // namespace twinpath
