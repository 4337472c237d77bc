// SPDX-License-Identifier: BSD-3-Clause
// Each fault has one function that judges the interface.

#include "src/telemetry/setup_faults.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "src/kernel/link/link.h"
#include "src/kernel/shell_word.h"

namespace twinpath {
namespace {

constexpr char kAsBefore[] = ", as when the port was opened";

// A fault, and the log line of its begin or its end.
struct Judgement {
  const char* fault;
  bool wrong;
  std::string line;
};

std::string Queues(uint32_t count) {
  return absl::StrCat(count, count == 1 ? " RX queue" : " RX queues");
}

Judgement JudgeQueues(const LinkSetup& opened, const LinkSetup& found, const LinkUse& use) {
  const bool wrong = !use.unserved.empty() && found.rx_queues > opened.rx_queues;
  if (!wrong)
    return {"queues", false, absl::StrCat(found.name, " has ", Queues(found.rx_queues), kAsBefore)};
  const bool combined = InterfaceChannels(found.name).combined != 0;
  return {"queues", true,
          absl::StrCat(found.name, " has ", Queues(found.rx_queues), " now and had ",
                       opened.rx_queues, "; frames of the new ones ", use.unserved, ": ethtool -L ",
                       ShellWord(found.name), combined ? " combined " : " rx ", opened.rx_queues,
                       ", or restart the program")};
}

Judgement JudgeMtu(const LinkSetup& opened, const LinkSetup& found) {
  const std::string now = absl::StrCat("the MTU of ", found.name, " is ", found.mtu, " bytes");
  if (found.mtu == opened.mtu) return {"mtu", false, now + kAsBefore};
  return {"mtu", true,
          absl::StrCat(now, " now and was ", opened.mtu,
                       " when the port was opened; longer frames than ",
                       std::min(found.mtu, opened.mtu), " bytes may be lost: ip link set dev ",
                       ShellWord(found.name), " mtu ", opened.mtu, ", or restart the program")};
}

Judgement JudgeMaster(const LinkSetup& opened, const LinkSetup& found) {
  const std::string now =
      absl::StrCat(found.name, " belongs to ",
                   found.master == 0 ? "no other interface" : NameOfLink(found.master));
  if (found.master == opened.master) return {"master", false, now + kAsBefore};
  return {"master", true,
          absl::StrCat(now, " now; frames that the kernel receives on ", found.name, " go ",
                       found.master == 0 ? "to its own addresses" : "to that interface")};
}

Judgement JudgeOffloads(const LinkSetup& opened, const LinkSetup& found, const LinkUse& use) {
  std::string off, means;
  const auto judge = [&](bool before, bool after, const char* name, const char* what) {
    if (before || !after) return;
    absl::StrAppend(&off, " ", name, " off");
    absl::StrAppend(&means, means.empty() ? "" : ", ", name, " ", what);
  };
  judge(opened.offloads.lro, found.offloads.lro, "lro", "joins frames before the policy");
  if (use.behind_gro)
    judge(opened.offloads.gro, found.offloads.gro, "gro", "joins frames before the policy");
  judge(opened.offloads.vlan, found.offloads.vlan, "rxvlan", "takes VLAN tags out of frames");
  if (off.empty())
    return {"offloads", false,
            absl::StrCat("the offloads of ", found.name, " are as when the port was opened")};
  return {"offloads", true,
          absl::StrCat("offloads of ", found.name, " were turned on: ", means, ": ethtool -K ",
                       ShellWord(found.name), off)};
}

Judgement JudgeName(const LinkSetup& opened, const LinkSetup& found) {
  if (found.name == opened.name)
    return {"renamed", false, absl::StrCat("the interface is called ", found.name, kAsBefore)};
  return {"renamed", true,
          absl::StrCat(opened.name, " is called ", found.name, " now; the port continues with it")};
}

}  // namespace

void SetSetupFaults(const std::string& subject, const LinkSetup& opened, const LinkSetup& found,
                    const LinkUse& use, FaultLedger* ledger, FaultLedger::Clock::time_point now) {
  for (const Judgement& it :
       {JudgeQueues(opened, found, use), JudgeMtu(opened, found), JudgeMaster(opened, found),
        JudgeOffloads(opened, found, use), JudgeName(opened, found)})
    ledger->Set(subject, it.fault, it.wrong, it.line, now);
}

void SetTooLong(const std::string& subject, const std::string& interface, uint32_t mtu, bool longer,
                FaultLedger* ledger, FaultLedger::Clock::time_point now) {
  ledger->Set(subject, "too_long", longer,
              longer
                  ? absl::StrCat("frames for ", interface, " that are longer than its MTU of ", mtu,
                                 " bytes are dropped and count as tx_full; if they are uncut TCP "
                                 "segments, turn TSO off at their senders: "
                                 "ethtool -K IFACE tso off gso off")
                  : absl::StrCat("no more frames that are too long for ", interface),
              now);
}

void SetPreceded(const std::string& subject, const std::string& interface,
                 const std::optional<ClassifierProgram>& other, const std::string& means,
                 FaultLedger* ledger, FaultLedger::Clock::time_point now) {
  ledger->Set(
      subject, "preceded", other.has_value(),
      other ? absl::StrCat("another program of the classifier (", other->name,
                           other->name.empty() ? "" : ", ", "id ", other->id,
                           ") runs before Twinpath's on ", interface, "; if it ends the chain, ",
                           means, ": detach it, or restart this program")
            : absl::StrCat("no other program of the classifier runs before Twinpath's on ",
                           interface),
      now);
}

}  // namespace twinpath
