// SPDX-License-Identifier: BSD-3-Clause
// The table of engines: their commands, nft's rules, and the capture for sameness.

#include "src/compare/run/engines.h"

#include <gtest/gtest.h>

#include <set>

#include "src/compare/lab/child.h"
#include "src/compare/plan/capture.h"

namespace twinpath {
namespace {

EngineContext Context() {
  EngineContext c;
  c.lan = "lan0";
  c.wan = "wan0";
  c.policy = "p.json";
  c.programs = "/bin";
  c.file_prefix = "compare-1";
  c.cpus = {1};
  return c;
}

std::string StartOf(const std::string& name, const EngineContext& context) {
  return CommandText(FindEngine(name)->start(context).front());
}

TEST(EnginesTest, NamesAreDifferentAndOthersAreRefused) {
  std::set<std::string> names;
  for (const CompareEngine& engine : CompareEngines()) names.insert(engine.name);
  EXPECT_EQ(names.size(), CompareEngines().size());
  EXPECT_EQ(FindEngine("vpp"), nullptr);
  EXPECT_TRUE(absl::IsInvalidArgument(CheckEngineName("vpp")));
  EXPECT_TRUE(CheckEngineName("dpdk").ok());
}

TEST(EnginesTest, CommandsAreThoseOfAUser) {
  EXPECT_EQ(StartOf("xdp-native", Context()),
            "/bin/twinpath-xdp --policy p.json --port lan=lan0 --port wan=wan0 --file-prefix "
            "compare-1 --mode native");
  EXPECT_EQ(StartOf("dpdk-af_xdp", Context()),
            "/bin/twinpath-dpdk --policy p.json --port lan=lan0 --port wan=wan0 --file-prefix "
            "compare-1 --queues 1 --lcores 1 --no-huge -- --no-pci");
  EngineContext nic = Context();
  nic.lan = "0000:03:00.0";
  nic.wan = "0000:03:00.1";
  nic.links.own = false;
  nic.huge_folder = "/h";
  EXPECT_EQ(StartOf("testpmd-io", nic),
            "dpdk-testpmd --lcores 0@1,1@1 --file-prefix compare-1 --huge-dir /h -a 0000:03:00.0 "
            "-a 0000:03:00.1 -- --forward-mode=io --auto-start --nb-cores=1 "
            "--total-num-mbufs=16384 --rxd=2048 --txd=2048");
}

TEST(EnginesTest, DevicesDecideWhichEnginesRun) {
  std::string why, needs;
  const CompareEngine &dpdk = *FindEngine("dpdk"), &xdp = *FindEngine("xdp-native");
  EXPECT_TRUE(dpdk.missing(Context(), &why, &needs));
  EXPECT_FALSE(xdp.missing(Context(), &why, &needs));
  EngineContext nic = Context();
  nic.lan = nic.wan = "0000:03:00.0";
  nic.links.own = false;
  EXPECT_FALSE(dpdk.missing(nic, &why, &needs));
  EXPECT_TRUE(xdp.missing(nic, &why, &needs));
  EXPECT_TRUE(IsMissing(*FindEngine("bridge"), nic, &why, &needs));
  EXPECT_EQ(needs, "a lab of its own: no --port");
}

TEST(EnginesTest, NftDropsTheShareOfTheLoss) {
  EngineContext c = Context();
  for (const auto& [loss, dropped] : {std::pair("1%", "< 1000 "), std::pair("0.25", "< 25000 "),
                                      std::pair("", "< 0 "), std::pair("100%", "< 100000 ")}) {
    c.loss = loss;
    EXPECT_NE(NftRules(c).find(std::string("numgen random mod 100000 ") + dropped),
              std::string::npos)
        << NftRules(c);
  }
}

TEST(EnginesTest, NftsCounterIsRead) {
  EXPECT_EQ(NftDropped(R"({"nftables": [{"metainfo": {}}, {"rule": {"expr": [
      {"match": {}}, {"counter": {"packets": 42, "bytes": 1}}, {"drop": null}]}}]})"),
            42u);
  EXPECT_EQ(NftDropped("no JSON"), 0u);
}

TEST(CaptureTest, TheSameFramesEachTime) {
  const std::string capture = SamenessCapture(100);
  EXPECT_EQ(capture, SamenessCapture(100));
  EXPECT_EQ(capture.substr(0, 4), "\xd4\xc3\xb2\xa1");
  EXPECT_EQ(SamenessCapture(0).size(), 24u);
}

}  // namespace
}  // namespace twinpath
