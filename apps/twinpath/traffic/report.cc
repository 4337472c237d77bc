// SPDX-License-Identifier: BSD-3-Clause
// Words the results.

#include "apps/twinpath/traffic/report.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "src/text/words.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;

double Seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

double PerSecond(double count, uint64_t ns) { return ns == 0 ? 0 : count / Seconds(ns); }

// What left the machine.
uint64_t Left(const SendResult& result) { return result.packets - result.dropped; }

// Bits of what left. Which frames were dropped is not known, so they count with the mean size.
double Bits(const SendResult& result, uint32_t overhead) {
  if (result.packets == 0) return 0;
  return static_cast<double>((result.bytes + result.packets * overhead) * 8) *
         static_cast<double>(Left(result)) / static_cast<double>(result.packets);
}

std::string Number(double value) { return Grouped(static_cast<uint64_t>(std::llround(value))); }

std::string RateText(RateUnit unit, double rate) {
  if (unit != RateUnit::kBits) return absl::StrCat(Number(rate), " packets/s");
  return absl::StrFormat("%.3f Mbit/s", rate / 1e6);
}

std::string Time(double ns) {
  const double size = std::abs(ns);
  if (size < 1e3) return absl::StrFormat("%.0f ns", ns);
  if (size < 1e6) return absl::StrFormat("%.3g us", ns / 1e3);
  if (size < 1e9) return absl::StrFormat("%.3g ms", ns / 1e6);
  return absl::StrFormat("%.3f s", ns / 1e9);
}

constexpr std::pair<const char*, double> kShares[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};

ordered_json DistributionJson(const Distribution& distribution) {
  ordered_json object = {
      {"count", distribution.count()}, {"min", distribution.min()}, {"mean", distribution.mean()}};
  for (const auto& [name, share] : kShares) object[name] = distribution.Percentile(share);
  object["max"] = distribution.max();
  ordered_json buckets = ordered_json::array();
  for (const auto& bucket : distribution.buckets())
    buckets.push_back({bucket.low, bucket.high, bucket.count});
  object["buckets"] = buckets;
  return object;
}

std::string DistributionText(const Distribution& distribution) {
  std::string text = absl::StrCat("min ", Time(static_cast<double>(distribution.min())));
  for (const auto& [name, share] : kShares)
    absl::StrAppend(&text, ", ", name, " ",
                    Time(static_cast<double>(distribution.Percentile(share))));
  return absl::StrCat(text, ", max ", Time(static_cast<double>(distribution.max())));
}

constexpr int kAnyStream = -1;  // in Received::expected

std::optional<uint64_t> Expected(const Received& received, int stream) {
  for (const int key : {stream, kAnyStream}) {
    const auto found = received.expected.find(key);
    if (found != received.expected.end()) return found->second;
  }
  return std::nullopt;
}

struct Row {
  int number;  // kAnyStream: streams were expected, by no number, and none arrived
  const Receiver::Stream* stream;
  bool absent() const { return stream->account.received() == 0; }
};

// The streams that arrived, and those that were expected and did not, by number.
std::vector<Row> Rows(const Received& received) {
  static const Receiver::Stream& none = *new Receiver::Stream;
  std::map<int, const Receiver::Stream*> streams;
  for (const auto& [number, stream] : received.receiver->streams()) streams[number] = stream.get();
  for (const auto& [number, packets] : received.expected)
    if (number != kAnyStream) streams.emplace(number, &none);
  if (streams.empty() && !received.expected.empty()) streams.emplace(kAnyStream, &none);
  std::vector<Row> rows;
  for (const auto& [number, stream] : streams) rows.push_back({number, stream});
  return rows;
}

}  // namespace

double Sent::rate() const {
  if (asked.unit != RateUnit::kBits)
    return PerSecond(static_cast<double>(Left(result)), result.elapsed);
  return PerSecond(Bits(result, overhead), result.elapsed);
}

bool Sent::reached() const {
  if (!result.failure.ok()) return false;
  if (!recorded.empty())
    return static_cast<double>(result.elapsed) <=
               static_cast<double>(planned) * (1 + kRateTolerance) + 1e6 &&
           result.dropped == 0;
  if (asked.unit == RateUnit::kMax) return true;
  const double wanted = static_cast<double>(asked.thousandths) / 1000;
  return rate() >= wanted * (1 - kRateTolerance);
}

ordered_json SentJson(const Sent& sent) {
  const SendResult& result = sent.result;
  ordered_json object = {{"port", sent.port}, {"backend", sent.backend}, {"why", sent.why}};
  object["stream"] = sent.tagged ? ordered_json(sent.stream) : ordered_json();
  object["asked"] = nullptr;
  if (sent.recorded.empty() && sent.asked.unit != RateUnit::kMax)
    object["asked"] = {{"unit", sent.asked.unit == RateUnit::kBits ? "bit/s" : "packets/s"},
                       {"rate", static_cast<double>(sent.asked.thousandths) / 1000},
                       {"layer", sent.overhead == kLayer1Overhead ? 1 : 2}};
  object.update({{"sent_packets", Left(result)},
                 {"dropped_packets", result.dropped},
                 {"handed_over_packets", result.packets},
                 {"handed_over_bytes", result.bytes},
                 {"duration_s", Seconds(result.elapsed)},
                 {"packets_per_s", PerSecond(static_cast<double>(Left(result)), result.elapsed)},
                 {"layer2_bits_per_s", PerSecond(Bits(result, kLayer2Overhead), result.elapsed)},
                 {"layer1_bits_per_s", PerSecond(Bits(result, kLayer1Overhead), result.elapsed)},
                 {"reached", sent.reached()},
                 {"latest_ns", result.latest},
                 {"device_full", result.full},
                 {"stopped", result.stopped}});
  object["failure"] = nullptr;
  if (!result.failure.ok()) object["failure"] = std::string(result.failure.message());
  return object;
}

std::string SentText(const Sent& sent) {
  const SendResult& result = sent.result;
  std::string text = absl::StrCat("Sent out of ", sent.port, " by ", sent.why, "\n\n");
  const std::string asked =
      !sent.recorded.empty() ? sent.recorded
      : sent.asked.unit == RateUnit::kMax
          ? "as fast as it can be"
          : RateText(sent.asked.unit, static_cast<double>(sent.asked.thousandths) / 1000) +
                (sent.asked.unit == RateUnit::kBits
                     ? absl::StrCat(" at layer ", sent.overhead == kLayer1Overhead ? 1 : 2)
                     : "");
  absl::StrAppend(&text, "  asked    ", asked, "\n");
  absl::StrAppend(
      &text, "  sent     ", Grouped(Left(result)), " packets in ",
      absl::StrFormat("%.3f s", Seconds(result.elapsed)), ": ",
      RateText(RateUnit::kPackets, PerSecond(static_cast<double>(Left(result)), result.elapsed)),
      ", ", RateText(RateUnit::kBits, PerSecond(Bits(result, kLayer2Overhead), result.elapsed)),
      " at layer 2, ",
      RateText(RateUnit::kBits, PerSecond(Bits(result, kLayer1Overhead), result.elapsed)),
      " at layer 1\n");
  if (result.dropped > 0)
    absl::StrAppend(&text, "  dropped  ", Grouped(result.dropped), " more packets, which ",
                    sent.port, " does not count as sent\n");
  if (result.latest > 0)
    absl::StrAppend(&text, "  late     by ", Time(static_cast<double>(result.latest)),
                    " at most\n");
  if (!result.failure.ok())
    return absl::StrCat(text, "  ended    early: ", result.failure.message(), "\n");
  const double share = 1000 * sent.rate() / static_cast<double>(sent.asked.thousandths);
  if (sent.reached()) {
    if (sent.asked.unit != RateUnit::kMax || !sent.recorded.empty())
      absl::StrAppend(&text, "  rate     reached",
                      sent.recorded.empty()
                          ? absl::StrCat(" (", PercentText(share, 5), " of what was asked)")
                          : "",
                      "\n");
  } else {
    absl::StrAppend(&text, "  rate     MISSED: ",
                    sent.recorded.empty()
                        ? PercentText(share, 4) + " of what was asked"
                        : absl::StrFormat("%.3f s instead of %.3f s", Seconds(result.elapsed),
                                          Seconds(sent.planned)),
                    "\n");
  }
  return text;
}

ordered_json ReceivedJson(const Received& received) {
  const Receiver& receiver = *received.receiver;
  ordered_json object = {{"from", received.from},
                         {"backend", received.backend},
                         {"why", received.why},
                         {"duration_s", received.seconds},
                         {"frames", receiver.frames()},
                         {"tagged_packets", receiver.tagged()},
                         {"corrupted_packets", receiver.corrupted()},
                         {"other_packets", receiver.others()},
                         {"missed_packets", received.missed}};
  ordered_json streams = ordered_json::array();
  for (const Row& row : Rows(received)) {
    const Receiver::Stream* stream = row.stream;
    const StreamAccount& account = stream->account;
    const auto expected = Expected(received, row.number);
    ordered_json entry;
    entry["stream"] = row.number == kAnyStream ? ordered_json() : ordered_json(row.number);
    entry["expected_packets"] = expected.has_value() ? ordered_json(*expected) : ordered_json();
    entry.update({{"received_packets", account.received()},
                  {"lost_packets", account.Lost(expected)},
                  {"duplicated_packets", account.duplicated()},
                  {"reordered_packets", account.reordered()},
                  {"reordered_in_flow_packets", account.reordered_in_flow()},
                  {"corrupted_packets", account.corrupted()},
                  {"unverified_packets", stream->unverified},
                  {"too_old_packets", account.too_old()},
                  {"received_bytes", stream->bytes},
                  {"flows", account.flows()},
                  {"first_number", account.first()},
                  {"highest_number", account.highest()},
                  {"duration_s", Seconds(stream->last_arrival -
                                         std::min(stream->first_arrival, stream->last_arrival))},
                  {"clock", stream->relative ? "relative" : "same machine"},
                  {"latency_ns", DistributionJson(account.transit())},
                  {"jitter_ns", account.jitter()},
                  {"highest_jitter_ns", account.highest_jitter()},
                  {"variation_ns", DistributionJson(account.variation())},
                  {"reordering_extent", DistributionJson(account.extents())},
                  {"unknown_extents", account.extents_unknown()}});
    if (row.absent()) entry["clock"] = nullptr;
    streams.push_back(entry);
  }
  object["streams"] = streams;
  return object;
}

std::string ReceivedText(const Received& received) {
  const Receiver& receiver = *received.receiver;
  std::string text = absl::StrCat("Received from ", received.from, " by ", received.why, "\n");
  absl::StrAppend(&text, "\n  ", Grouped(receiver.frames()),
                  " frames: ", Grouped(receiver.tagged()), " tagged, ",
                  Grouped(receiver.corrupted()), " corrupted, ", Grouped(receiver.others()),
                  " others\n");
  if (received.missed > 0)
    absl::StrAppend(&text, "  ", Grouped(received.missed),
                    " more arrived while this program was too slow; they count as lost below\n");
  for (const Row& of_stream : Rows(received)) {
    const Receiver::Stream* stream = of_stream.stream;
    const StreamAccount& account = stream->account;
    const auto expected = Expected(received, of_stream.number);
    if (of_stream.absent()) {
      absl::StrAppend(&text,
                      of_stream.number == kAnyStream
                          ? "\nNo stream arrived"
                          : absl::StrCat("\nStream ", of_stream.number, " did not arrive"),
                      ": all of its ", Grouped(*expected), " packets are lost\n");
      continue;
    }
    const uint64_t lost = account.Lost(expected);
    const double of = static_cast<double>(account.received() + lost);
    absl::StrAppend(&text, "\nStream ", of_stream.number, " (", Grouped(account.flows()),
                    account.flows() == 1 ? " flow)\n\n" : " flows)\n\n");
    const auto row = [&text](const char* name, const std::string& value) {
      absl::StrAppend(&text, absl::StrFormat("  %-11s", name), value, "\n");
    };
    row("received", Grouped(account.received()));
    row("lost",
        absl::StrCat(Grouped(lost), " of ", Grouped(account.received() + lost), ", ",
                     PercentText(of == 0 ? 0 : static_cast<double>(lost) / of, 4),
                     expected.has_value() ? "" : ", up to the highest number that arrived"));
    row("duplicated", Grouped(account.duplicated()));
    row("reordered",
        absl::StrCat(Grouped(account.reordered()), ", within their flows ",
                     Grouped(account.reordered_in_flow()),
                     account.extents().count() == 0
                         ? ""
                         : absl::StrCat("; extent p50 ", account.extents().Percentile(0.5),
                                        ", max ", account.extents().max(), " packets")));
    row("corrupted", Grouped(account.corrupted()));
    if (account.too_old() > 0)
      row("too old", absl::StrCat(Grouped(account.too_old()),
                                  ": so late that nobody knows whether "
                                  "they are duplicates"));
    row("latency", DistributionText(account.transit()) +
                       (stream->relative ? ", RELATIVE to the first packet: two clocks" : ""));
    row("jitter", absl::StrCat(Time(account.jitter()), " (RFC 3550), at most ",
                               Time(account.highest_jitter()), "; from packet to packet ",
                               DistributionText(account.variation())));
  }
  return text;
}

}  // namespace twinpath
