// SPDX-License-Identifier: BSD-3-Clause

#include "src/telemetry/setup_faults.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace twinpath {
namespace {

class SetupFaultsTest : public ::testing::Test {
 protected:
  SetupFaultsTest() : ledger_([this](const std::string& line) { lines_.push_back(line); }) {}

  void Look(const LinkSetup& found, const LinkUse& use = {}) {
    now_ += std::chrono::seconds(1);
    SetSetupFaults("port lan", opened_, found, use, &ledger_, now_);
  }
  std::vector<std::string> Active() const {
    std::vector<std::string> active;
    for (const FaultSnapshot& fault : ledger_.List())
      if (fault.active) active.push_back(fault.what);
    return active;
  }

  using Names = std::vector<std::string>;
  const LinkSetup opened_ = {.name = "lan0", .rx_queues = 2, .mtu = 1500};
  FaultLedger::Clock::time_point now_;
  std::vector<std::string> lines_;
  FaultLedger ledger_;
};

TEST_F(SetupFaultsTest, AnInterfaceAsItWasHasNone) {
  Look(opened_, {.unserved = "are dropped"});
  EXPECT_EQ(Active(), Names());
  EXPECT_EQ(lines_, Names());
}

TEST_F(SetupFaultsTest, EachChangeIsToldOnceAndEndsWithItsCause) {
  LinkSetup found = opened_;
  found.mtu = 9000;
  Look(found);
  Look(found);
  EXPECT_EQ(Active(), Names{"mtu"});
  Look(opened_);
  EXPECT_EQ(Active(), Names());
  EXPECT_EQ(lines_,
            (Names{"port lan: the MTU of lan0 is 9000 bytes now and was 1500 when the port was "
                   "opened; longer frames than 1500 bytes may be lost: ip link set dev lan0 mtu "
                   "1500, or restart the program",
                   "port lan: the MTU of lan0 is 1500 bytes, as when the port was opened, after "
                   "2.00 s"}));
}

TEST_F(SetupFaultsTest, NewQueuesMatterWhereThePathDoesNotServeThem) {
  LinkSetup found = opened_;
  found.rx_queues = 4;
  Look(found);
  EXPECT_EQ(Active(), Names());
  Look(found, {.unserved = "are dropped"});
  EXPECT_EQ(Active(), Names{"queues"});
  EXPECT_EQ(lines_.back(),
            "port lan: lan0 has 4 RX queues now and had 2; frames of the new ones are dropped: "
            "ethtool -L lan0 rx 2, or restart the program");
  found.rx_queues = 1;
  Look(found, {.unserved = "are dropped"});
  EXPECT_EQ(Active(), Names());
}

TEST_F(SetupFaultsTest, OffloadsMatterWhenTheyAreTurnedOnInFrontOfThePolicy) {
  LinkSetup found = opened_;
  found.offloads.gro = true;
  Look(found);
  EXPECT_EQ(Active(), Names());
  Look(found, {.behind_gro = true});
  EXPECT_EQ(Active(), Names{"offloads"});
  found.offloads = {.lro = true, .gro = false, .vlan = true};
  Look(opened_);
  Look(found);
  EXPECT_EQ(lines_.back(),
            "port lan: offloads of lan0 were turned on: lro joins frames before the policy, "
            "rxvlan takes VLAN tags out of frames: ethtool -K lan0 lro off rxvlan off");
}

TEST_F(SetupFaultsTest, ANameIsQuotedForTheShell) {
  LinkSetup found = opened_;
  found.name = "a;b";
  found.mtu = 1400;
  Look(found);
  EXPECT_EQ(Active(), (Names{"mtu", "renamed"}));
  EXPECT_NE(lines_[0].find("ip link set dev 'a;b' mtu 1500"), std::string::npos);
}

TEST_F(SetupFaultsTest, FramesBeyondTheMtuAreToldOnceAndEndASecondLater) {
  for (const bool longer : {true, true, false, false}) {
    now_ += std::chrono::seconds(1);
    SetTooLong("port wan", "wan0", 1000, longer, &ledger_, now_);
  }
  EXPECT_EQ(
      lines_,
      (Names{"port wan: frames for wan0 that are longer than its MTU of 1000 bytes are dropped and "
             "count as tx_full; if they are uncut TCP segments, turn TSO off at their senders: "
             "ethtool -K IFACE tso off gso off",
             "port wan: no more frames that are too long for wan0, after 2.00 s"}));
}

TEST_F(SetupFaultsTest, AProgramBeforeOursIsToldOnceAndEndsWhenItIsGone) {
  using Other = std::optional<ClassifierProgram>;
  for (const Other& other : {Other({7, "their"}), Other({7, "their"}), Other(), Other({8, ""})}) {
    now_ += std::chrono::seconds(1);
    SetPreceded("port lan", "lan0", other, "frames are lost", &ledger_, now_);
  }
  EXPECT_EQ(
      lines_,
      (Names{
          "port lan: another program of the classifier (their, id 7) runs before Twinpath's on "
          "lan0; if it ends the chain, frames are lost: detach it, or restart this program",
          "port lan: no other program of the classifier runs before Twinpath's on lan0, after "
          "2.00 s",
          "port lan: another program of the classifier (id 8) runs before Twinpath's on lan0; if "
          "it ends the chain, frames are lost: detach it, or restart this program"}));
}

}  // namespace
}  // namespace twinpath
