// SPDX-License-Identifier: BSD-3-Clause
// Declares the options, and makes the plan and the schedule from them.

#include "apps/twinpath/traffic/generate_options.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "apps/command_line.h"
#include "src/explain/frame.h"

namespace twinpath {
namespace {

constexpr char kDefaultRate[] = "1kpps";

absl::Status Both(const char* one, const char* other) {
  return absl::InvalidArgumentError(absl::StrCat(one, " and ", other, " are mutually exclusive"));
}

// Options that say something about frames that are made here.
absl::Status CheckGiven(const GenerateOptions& o) {
  if (!o.frame.empty() && !o.pcap.empty()) return Both("--frame", "--pcap");
  const char* given = !o.frame.empty() ? "--frame" : "--pcap";
  const bool made = o.frame.empty() && o.pcap.empty();
  if (!made && !o.size.empty()) return Both(given, "--size");
  if (!made && o.flows != 1) return Both(given, "--flows");
  if (!made && o.vlan.has_value()) return Both(given, "--vlan");
  if (made && o.tag)
    return absl::InvalidArgumentError(
        "--tag needs --frame or --pcap: other frames always carry the tag");
  if (o.speed.has_value() && o.pcap.empty())
    return absl::InvalidArgumentError("--speed needs --pcap");
  if (o.speed.has_value() && !o.rate.empty()) return Both("--speed", "--rate");
  if (!o.pcap.empty() && o.rate.empty() && (o.burst != 1 || o.gaps != "constant"))
    return absl::InvalidArgumentError("--burst and --gaps need --rate where --pcap is given");
  if (o.speed.has_value() && *o.speed == 0)
    return absl::InvalidArgumentError(
        "--speed: found 0, allowed a number above 0 and up to 1000000");
  return absl::OkStatus();
}

absl::StatusOr<Plan> PlanOf(const GenerateOptions& o) {
  TrafficSpec spec;
  spec.ip_version = o.ip_version;
  spec.vlan = o.vlan;
  const auto source_mac = ParseMac("--src-mac", o.source_mac);
  if (!source_mac.ok()) return source_mac.status();
  const auto destination_mac = ParseMac("--dst-mac", o.destination_mac);
  if (!destination_mac.ok()) return destination_mac.status();
  spec.source_mac = *source_mac;
  spec.destination_mac = *destination_mac;
  const auto source =
      o.source.empty() ? DefaultSource(o.ip_version) : ParseIp("--src", o.source, o.ip_version);
  if (!source.ok()) return source.status();
  const auto destination = o.destination.empty() ? DefaultDestination(o.ip_version)
                                                 : ParseIp("--dst", o.destination, o.ip_version);
  if (!destination.ok()) return destination.status();
  spec.source = *source;
  spec.destination = *destination;
  spec.source_port = o.source_port;
  spec.destination_port = o.destination_port;
  const uint32_t shortest = ShortestTagged(o.ip_version, o.vlan.has_value());
  const auto sizes =
      ParseSizes(o.size.empty() ? absl::StrCat(std::max(64U, shortest)) : o.size, shortest);
  if (!sizes.ok()) return sizes.status();
  spec.sizes = sizes->in_turn;
  spec.range = sizes->range;
  const auto spread = ParseSpread(o.spread);
  if (!spread.ok()) return spread.status();
  spec.flows = o.flows;
  spec.spread = spread->kind;
  spec.zipf = spread->zipf;
  spec.seed = o.seed;
  spec.stream = o.stream;
  return Plan::Make(spec);
}

absl::Status AddFrames(const GenerateOptions& o, Generation* generation) {
  if (!o.pcap.empty()) {
    auto recording = Recording::Load(o.pcap, o.tag, o.stream);
    if (!recording.ok()) return recording.status();
    generation->tagged = recording->tagged() > 0;
    generation->recording.emplace(*std::move(recording));
    return absl::OkStatus();
  }
  absl::StatusOr<Plan> plan = absl::InvalidArgumentError("");
  if (o.frame.empty()) {
    plan = PlanOf(o);
  } else {
    const auto bytes = FrameOfHex(o.frame);
    if (!bytes.ok()) return bytes.status();
    plan = Plan::OfFrame(*bytes, o.tag, o.stream);
    if (!plan.ok())
      return absl::InvalidArgumentError(absl::StrCat("--frame: ", plan.status().message()));
  }
  if (!plan.ok()) return plan.status();
  generation->tagged = plan->tagged();
  generation->plan.emplace(*std::move(plan));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Generation> MakeGeneration(const GenerateOptions& o) {
  if (absl::Status given = CheckGiven(o); !given.ok()) return given;
  Generation generation;
  generation.overhead = o.layer == 1 ? kLayer1Overhead : kLayer2Overhead;
  const auto rate = ParseRate(!o.rate.empty() ? o.rate : o.pcap.empty() ? kDefaultRate : "max");
  if (!rate.ok()) return rate.status();
  generation.rate = *rate;
  if (absl::Status added = AddFrames(o, &generation); !added.ok()) return added;
  generation.limits.packets = o.packets;
  if (o.duration.has_value()) generation.limits.duration = static_cast<uint64_t>(*o.duration * 1e9);
  if (!o.pcap.empty() && o.rate.empty()) {
    const double speed = o.speed.value_or(1);
    generation.recorded =
        speed == 1 ? "as recorded" : absl::StrFormat("as recorded, times %g", speed);
    generation.schedule = Schedule(Recorded{generation.recording->offsets(), speed});
  } else {
    generation.schedule = Schedule(Pace{.unit = rate->unit,
                                        .thousandths = rate->thousandths,
                                        .overhead = generation.overhead,
                                        .burst = o.burst,
                                        .poisson = o.gaps == "poisson",
                                        .seed = o.seed});
  }
  if (!o.pcap.empty() && !o.packets.has_value() && !o.duration.has_value())
    generation.limits.packets = generation.recording->frames();
  if (!generation.recorded.empty()) {
    // Until the last frame; a duration ends where it ends.
    generation.planned = generation.limits.duration.value_or(0);
    if (generation.limits.packets.has_value()) {
      Schedule planned = generation.schedule;
      for (uint64_t n = 0; n < *generation.limits.packets; n++) planned.Advance(0);
      generation.planned = planned.due();
    }
  }
  return generation;
}

void AddGenerateOptions(CLI::App* generate, GenerateOptions* o) {
  generate
      ->add_option("--port", o->port,
                   "Where to send: a kernel interface, a NIC bound to DPDK, or a virtual device")
      ->type_name("DEVICE")
      ->required();
  generate
      ->add_option(
          "--backend", o->backend,
          "What sends: xdp (live frames), af_packet, af_xdp, dpdk, or auto, the best there is")
      ->type_name("NAME")
      ->check(OneOf({kByAuto, kByXdp, kByAfPacket, kByAfXdp, kByDpdk}))
      ->capture_default_str();
  generate
      ->add_option("--rate", o->rate,
                   "100kpps, 250Mbit, max (default: 1kpps; of a capture: as recorded)")
      ->type_name("RATE");
  generate
      ->add_option("--layer", o->layer,
                   "Whose bits a rate in bits counts: 2, frames with their FCS; 1, preamble and "
                   "gap, too")
      ->type_name("LAYER")
      ->check(OneOf({"1", "2"}))
      ->capture_default_str();
  generate->add_option("--gaps", o->gaps, "The time between frames: constant, or poisson (random)")
      ->type_name("KIND")
      ->check(OneOf({"constant", "poisson"}))
      ->capture_default_str();
  generate->add_option("--burst", o->burst, "Frames that are sent at once")
      ->type_name("FRAMES")
      ->check(IntegerFrom(1, 65536))
      ->capture_default_str();
  generate->add_option("--duration", o->duration, "End after so many seconds")
      ->type_name("SECONDS")
      ->check(WrongSeconds);
  generate
      ->add_option("--packets", o->packets,
                   "End after so many packets (default: never; of a capture: after its last)")
      ->type_name("PACKETS")
      ->check(WrongCount);
  generate
      ->add_option("--size", o->size,
                   "Bytes of a frame without its FCS: 64, 64,1514 in turn, 64-1514 at random, imix "
                   "(default: 64, or the smallest)")
      ->type_name("BYTES");
  generate->add_option("--flows", o->flows, "Five-tuples")
      ->type_name("FLOWS")
      ->check(IntegerFrom(1, kMaxFlows))
      ->capture_default_str();
  generate
      ->add_option("--spread", o->spread,
                   "Which flow a packet is of: turn (one after the other), uniform, zipf or zipf:S")
      ->type_name("KIND")
      ->capture_default_str();
  generate->add_option("--ip", o->ip_version, "4 or 6")
      ->type_name("VERSION")
      ->check(OneOf({"4", "6"}))
      ->capture_default_str();
  generate->add_option("--vlan", o->vlan, "The id of a VLAN tag (default: no tag)")
      ->type_name("ID")
      ->check(IntegerFrom(0, 4095));
  generate->add_option("--src-mac", o->source_mac, "Source MAC address")
      ->type_name("MAC")
      ->capture_default_str();
  generate->add_option("--dst-mac", o->destination_mac, "Destination MAC address")
      ->type_name("MAC")
      ->capture_default_str();
  generate
      ->add_option("--src", o->source,
                   "Source address of the first flow (default: 198.18.0.1, 2001:2::1)")
      ->type_name("IP");
  generate
      ->add_option("--dst", o->destination,
                   "Destination address (default: 198.19.0.1, 2001:2:0:8000::1)")
      ->type_name("IP");
  generate->add_option("--src-port", o->source_port, "Source UDP port of the first flow")
      ->type_name("PORT")
      ->check(IntegerFrom(1, TP_TRAFFIC_FIRST_PORT))
      ->capture_default_str();
  generate->add_option("--dst-port", o->destination_port, "Destination UDP port")
      ->type_name("PORT")
      ->check(IntegerFrom(0, UINT16_MAX))
      ->capture_default_str();
  generate->add_option("--stream", o->stream, "The stream's number, 0 to 255")
      ->type_name("NUMBER")
      ->check(IntegerFrom(0, UINT8_MAX))
      ->capture_default_str();
  generate->add_option("--seed", o->seed, "Seed of random sizes, flows and gaps")
      ->type_name("SEED")
      ->check(IntegerFrom(0, UINT64_MAX))
      ->capture_default_str();
  generate->add_option("--frame", o->frame, "Send this frame, in hex, again and again")
      ->type_name("HEX");
  generate->add_option("--pcap", o->pcap, "Send the frames of a capture, pcap or pcapng")
      ->type_name("FILE");
  generate->add_option("--speed", o->speed, "Send a capture so many times as fast (default: 1)")
      ->type_name("FACTOR")
      ->check(NumberFrom(0, 1e6));
  generate->add_flag("--tag", o->tag,
                     "Write the tag into UDP payloads of --frame or --pcap that have room");
  generate->add_flag("--json", o->json, "Print JSON");
}

}  // namespace twinpath
