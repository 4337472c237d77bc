// SPDX-License-Identifier: BSD-3-Clause
// twinpath doctor: says whether this machine can start a profile, and if not, how to fix it.
// Changes nothing. Main thread.

#include <linux/capability.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "apps/twinpath/doctor_start.h"
#include "apps/twinpath/subcommand.h"
#include "src/config/compile/compile.h"
#include "src/config/policy/policy.h"
#include "src/config/profile/profile.h"
#include "src/doctor/checks.h"
#include "src/doctor/program.h"
#include "src/doctor/report.h"
#include "src/dpdk/eal/preflight.h"
#include "src/kernel/ethtool.h"
#include "src/kernel/link/link.h"
#include "src/kernel/link/stack_guard.h"
#include "src/kernel/shell_word.h"
#include "src/kernel/xdp_program.h"
#include "src/telemetry/client/client.h"
#include "src/telemetry/server/protocol.h"
#include "src/xdp/attach/preflight.h"
#include "src/xdp/program/kernel_features.h"

namespace twinpath {
namespace {

using Grade = Finding::Grade;
using Path = Finding::Path;

struct DoctorOptions {
  std::string profile, policy;
  bool json = false, memory = false;
};

constexpr char kDoctor[] = "twinpath doctor";

InterfaceFacts FactsOf(const std::string& name) {
  InterfaceFacts facts;
  facts.max_queues = InterfaceChannels(name).max;
  const DriverXdp driver = DriverXdpOf(name);
  facts.native = driver.native;
  facts.zero_copy = driver.zero_copy;
  const uint32_t index = IndexOfLink(name);
  facts.guard_left = GuardLeftBehind(index);
  auto xdp = ReadXdp(index);
  if (!xdp.ok() || xdp->program == 0) return facts;
  const std::string program = XdpProgramName(xdp->program);
  facts.xdp_program =
      absl::StrCat(program, program.empty() ? "" : ", ", "id ", xdp->program, ", ", xdp->mode);
  facts.xdp_detach = XdpDetachCommand(index, name, *xdp);
  return facts;
}

// Resolves the profile's ports like twinpath-dpdk: see src/dpdk/port/device.h.
std::vector<DoctorNeeds::Nic> NicsOf(const Profile& profile, const Machine& machine) {
  std::vector<DoctorNeeds::Nic> nics;
  for (const PortSpec& port : profile.ports) {
    // One queue of the device is enough if software RSS may spread the packets.
    DoctorNeeds::Nic nic = {.port = port.name,
                            .queues = profile.rss.spread == RssSpread::kDevice ? profile.queues : 1,
                            .checksums = port.checksums};
    std::optional<std::string> pci;
    if (const auto link = FindLink(port.device); link.has_value()) {
      nic.interface = link->name;
      nic.pci = machine.InterfacePci(port.device).value_or("");
    } else if ((pci = NormalPci(port.device)) || (pci = machine.PredictedPci(port.device))) {
      nic.pci = *pci;
      nic.native = true;
    } else if (port.device.rfind("net_", 0) == 0 || port.device.rfind("eth_", 0) == 0) {
      continue;  // a vdev
    } else {
      nic.interface = port.device;  // which does not exist
    }
    nics.push_back(nic);
  }
  return nics;
}

// Returns every NIC of the machine, for a check without a profile.
std::vector<DoctorNeeds::Nic> AllNics(const DoctorHost& host) {
  std::vector<DoctorNeeds::Nic> nics;
  for (const std::string& pci : host.PciNics()) nics.push_back({.pci = pci, .native = true});
  for (const std::string& name : host.Interfaces())
    nics.push_back({.pci = host.machine().InterfacePci(name).value_or(""), .interface = name});
  return nics;
}

// Adds what the DPDK path needs for the start that twinpath-dpdk would plan.
void AddPlan(const Preflight& plan, DoctorNeeds* needs) {
  needs->hugepages = plan.eal.hugepages;
  needs->private_memory = plan.eal.private_memory;
  needs->memory_bytes = plan.memory_bytes;
  needs->locked_bytes = LockedBytes(plan);
  needs->runtime_folder = RuntimeFolder(plan.eal.file_prefix);
  needs->nodes.assign(plan.nodes.begin(), plan.nodes.end());
  needs->lcores = plan.lcores;
  needs->exceptions = std::any_of(plan.kernel.begin(), plan.kernel.end(),
                                  [](ExceptionPath path) { return path != ExceptionPath::kNone; });
  for (const Device& device : plan.devices)
    if (device.kind == Device::Kind::kVdev)
      needs->warnings.insert(needs->warnings.end(), device.warnings.begin(), device.warnings.end());
  for (const CapabilityNeed& need : NeededCapabilities(plan))
    needs->capabilities.push_back({need.number, need.name, need.purpose, Path::kDpdk});
}

Profile WireOfTwoPorts() {
  Profile profile;
  profile.ports = {{"lan", "net_null0"}, {"wan", "net_null1"}};
  return profile;
}

// What twinpath-dpdk would run.
struct DpdkStart {
  Profile profile;
  std::optional<Policy> policy;
  std::optional<CompiledPolicy> compiled;
};

// Returns the error with which twinpath-dpdk would refuse the profile before it starts EAL; empty:
// none. Sets the needs of the planned start in *needs.
std::string DpdkRefusal(const DoctorOptions& options, const Machine& machine, DpdkStart* start,
                        DoctorNeeds* needs) {
  const Profile& profile = start->profile;
  std::vector<std::string> names;
  for (const PortSpec& port : profile.ports) names.push_back(port.name);
  needs->lcores = profile.lcores;  // replaced by the plan's
  auto policy = MakePolicy(options.policy, {}, names);
  if (!policy.ok()) return std::string(policy.status().message());
  start->policy = *std::move(policy);
  auto compiled = CompilePolicy(*start->policy, names);
  if (!compiled.ok()) return std::string(compiled.status().message());
  start->compiled = *std::move(compiled);
  auto plan = PlanStart(profile, *start->compiled, {}, machine);
  if (!plan.ok()) return std::string(plan.status().message());
  AddPlan(*plan, needs);
  const absl::Status status = CheckBeforeEal(profile, *start->compiled, {}, machine).status();
  if (!status.ok()) return std::string(status.message());
  const absl::Status served = TelemetryClient::Connect(plan->eal.file_prefix).status();
  // A program that is stopped, or has too many clients, still uses its prefix.
  if (served.ok() || absl::IsDeadlineExceeded(served) || absl::IsUnavailable(served))
    return absl::StrCat("a running DPDK program uses the file prefix '", plan->eal.file_prefix,
                        "'; choose another one: --file-prefix NAME");
  return "";
}

void CheckBpf(const DoctorHost& host, Findings* findings) {
  const Machine& machine = host.machine();
  const auto af_xdp = KernelHasAfXdp();
  findings->push_back(
      {.grade = af_xdp == false ? Grade::kMissing
                : af_xdp        ? Grade::kOk
                                : Grade::kNote,
       .path = Path::kDpdk,
       .check = "AF_XDP",
       .found = !af_xdp   ? "unknown without CAP_NET_RAW"
                : *af_xdp ? "supported by the kernel"
                          : "not supported by the kernel",
       .needed = af_xdp == false ? "CONFIG_XDP_SOCKETS, for kernel interfaces" : ""});
  if (!machine.HasCapability(CAP_SYS_ADMIN) &&
      !(machine.HasCapability(CAP_BPF) && machine.HasCapability(CAP_NET_ADMIN) &&
        machine.HasCapability(CAP_PERFMON))) {
    findings->push_back({.grade = Grade::kNote,
                         .check = "BPF",
                         .found = "not tested: needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON",
                         .fix = "sudo twinpath doctor"});
    return;
  }
  std::string lacking;
  for (const KernelFeature& feature : ProbeBpfFeatures())
    if (!feature.there)
      absl::StrAppend(&lacking, lacking.empty() ? "" : ", ", feature.name, " (", feature.for_what,
                      ")");
  findings->push_back(
      {.grade = lacking.empty() ? Grade::kOk : Grade::kMissing,
       .check = "BPF",
       .found = lacking.empty() ? "XDP programs and all map types are supported"
                                : "the kernel lacks " + lacking,
       .needed = lacking.empty() ? "" : "a kernel that has them: CONFIG_BPF_SYSCALL"});
  const absl::Status loaded = TryXdpProgram();
  findings->push_back({.grade = loaded.ok() ? Grade::kOk : Grade::kMissing,
                       .path = Path::kXdp,
                       .check = "XDP program",
                       .found = loaded.ok() ? "the kernel loads Twinpath's program"
                                            : std::string(loaded.message())});
}

// Tries to start EAL and the PMDs, which finds errors that no other check finds. Skipped if
// something is missing that prevents the start anyway.
void CheckStart(const DpdkStart& start, const std::string& command, DoctorReport* report) {
  PathVerdict* verdict = &report->verdicts.front();
  if (!report->Starts(*verdict)) return;
  const StartDryRun tried = DryRunStart(start.profile, *start.policy, *start.compiled);
  verdict->refusal = tried.refusal;
  Finding finding = {.path = Path::kDpdk, .check = "start"};
  if (!tried.refusal.empty()) {
    finding.grade = Grade::kMissing;
    finding.found = tried.refusal;
    finding.needed = "EAL arguments and virtual devices that DPDK accepts";
  } else if (!tried.untried.empty()) {
    finding.grade = Grade::kMissing;  // because the report says "would start" only if that is known
    finding.found = absl::StrCat("not tried, because others would notice: ",
                                 absl::StrJoin(tried.untried, ", "));
    finding.needed = "a real start";
    finding.fix = command + " --duration 1";
  } else {
    finding.found = "tried with stand-ins for NICs and interfaces";
  }
  report->findings.push_back(finding);
}

// Adds refusals as findings if no other finding says what is missing.
void AddRefusals(DoctorReport* report) {
  for (const Finding& finding : report->findings)
    if (finding.grade == Grade::kMissing) return;
  for (const PathVerdict& verdict : report->verdicts) {
    if (verdict.refusal.empty()) continue;
    report->findings.push_back({.grade = Grade::kMissing,
                                .path = verdict.path == "xdp" ? Path::kXdp : Path::kDpdk,
                                .check = "start",
                                .found = verdict.refusal});
  }
}

// Prints the profile's memory. Works before the machine is ready, for tools that prepare it.
int PrintMemory(const DoctorOptions& options) {
  if (options.profile.empty()) return PrintError(kDoctor, kWrong, "--memory needs --profile FILE");
  auto profile = LoadProfile(options.profile);
  if (!profile.ok()) return PrintError(kDoctor, kWrong, profile.status());
  std::vector<std::string> names;
  for (const PortSpec& port : profile->ports) names.push_back(port.name);
  auto policy = MakePolicy(options.policy, {}, names);
  if (!policy.ok()) return PrintError(kDoctor, kWrong, policy.status());
  auto compiled = CompilePolicy(*policy, names);
  if (!compiled.ok()) return PrintError(kDoctor, kWrong, compiled.status());
  auto bytes = ForeseeMemory(*profile, *compiled, Machine());
  if (!bytes.ok()) return PrintError(kDoctor, kWrong, bytes.status());
  std::cout << *bytes << "\n";
  return kDone;
}

int PrintReport(const DoctorOptions& options, const DoctorReport& report) {
  if (options.json)
    std::cout << DoctorJson(report).dump(2) << "\n";
  else
    std::cout << DoctorText(report);
  return report.Starts() ? kDone : kFailed;
}

// Prints the report for a machine without the mounts: no path starts there, and no other check
// would give a true answer.
int PrintWithoutMounts(const DoctorOptions& options, DoctorReport* report) {
  const std::string refusal = report->findings.front().found;
  report->verdicts.push_back({.path = "dpdk", .refusal = refusal});
  if (options.profile.empty()) report->verdicts.push_back({.path = "xdp", .refusal = refusal});
  return PrintReport(options, *report);
}

int Doctor(const DoctorOptions& options) {
  if (options.memory) return PrintMemory(options);
  const DoctorHost host;
  DoctorReport report = {.profile = options.profile};
  if (!CheckMounts(host, &report.findings)) return PrintWithoutMounts(options, &report);
  DoctorNeeds needs;
  DpdkStart start = {.profile = WireOfTwoPorts()};
  Profile& profile = start.profile;
  needs.runtime_folder = RuntimeFolder("twinpath-dpdk");
  if (!options.profile.empty()) {
    auto loaded = LoadProfile(options.profile);
    if (!loaded.ok()) return PrintError(kDoctor, kWrong, loaded.status());
    profile = *std::move(loaded);
    if (profile.ports.empty())
      return PrintError(
          kDoctor, kWrong,
          absl::StrCat(options.profile,
                       ": /ports: found none, allowed 1 to 16: doctor checks the ports"));
    needs.for_profile = true;
    needs.nics = NicsOf(profile, host.machine());
    needs.command = absl::StrCat("twinpath-dpdk --profile ", ShellWord(options.profile));
    if (!options.policy.empty())
      absl::StrAppend(&needs.command, " --policy ", ShellWord(options.policy));
  } else {
    needs.nics = AllNics(host);
  }
  needs.program = FindProgram("twinpath-dpdk");
  needs.rights = CapabilitiesOf(needs.program);
  Machine machine;  // with the capabilities of that program
  if (needs.rights.has_value()) machine.AssumeCapabilities(*needs.rights);
  report.verdicts.push_back({.path = "dpdk",
                             .what = needs.for_profile ? "" : "with a wire of two virtual ports",
                             .refusal = DpdkRefusal(options, machine, &start, &needs)});
  const bool af_xdp = std::any_of(needs.nics.begin(), needs.nics.end(),
                                  [](const DoctorNeeds::Nic& nic) { return !nic.native; });
  if (!needs.for_profile) {
    needs.lcores.clear();  // findings on CPU 0 help nobody without a profile
    needs.program = FindProgram("twinpath-xdp");
    needs.rights = CapabilitiesOf(needs.program);
    const absl::Status xdp =
        needs.rights.has_value() ? CheckXdpPrivileges(*needs.rights) : CheckXdpPrivileges();
    report.verdicts.push_back({.path = "xdp", .refusal = std::string(xdp.message())});
    needs.capabilities = {{CAP_NET_ADMIN, "CAP_NET_ADMIN", "attaching XDP programs", Path::kXdp},
                          {CAP_BPF, "CAP_BPF", "loading XDP programs", Path::kXdp},
                          {CAP_PERFMON, "CAP_PERFMON", "loading XDP programs", Path::kXdp},
                          {.number = CAP_NET_RAW,
                           .name = "CAP_NET_RAW",
                           .purpose = "receiving frames for any MAC address",
                           .path = Path::kXdp,
                           .required = false}};
  }
  Findings* findings = &report.findings;
  CheckKernel(host, findings);
  CheckHugepages(host, needs, findings);
  CheckHugetlbfs(host, needs, findings);
  CheckRuntimeFolder(host, needs, findings);
  CheckMemlock(host, needs, findings);
  CheckCapabilities(host, needs, findings);
  if (af_xdp || !needs.for_profile) {
    CheckBpf(host, findings);
    CheckBpffs(host, needs, findings);
  }
  CheckTun(host, needs, findings);
  CheckIommu(host, needs, findings);
  CheckNics(host, needs, FactsOf, findings);
  CheckVdevs(needs, findings);
  CheckChecksums(host, needs, findings);
  CheckLcores(host, needs, findings);
  CheckGovernor(host, needs, findings);
  CheckSiblings(host, needs, findings);
  CheckStart(start, needs.command, &report);
  AddRefusals(&report);
  return PrintReport(options, report);
}

}  // namespace

void AddDoctor(CLI::App* app, Run* run) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* doctor = app->add_subcommand(
      "doctor", "Check whether this machine can start a profile, and say what to fix");
  doctor
      ->add_option("--profile", options->profile,
                   "A profile of twinpath-dpdk (default: check both paths and every NIC)")
      ->type_name("FILE");
  doctor
      ->add_option("--policy", options->policy,
                   "The policy that will run (default: one that passes everything)")
      ->type_name("FILE");
  doctor->add_flag("--memory", options->memory,
                   "Print only how many bytes of hugepages the profile takes");
  doctor->add_flag("--json", options->json, "Print JSON");
  doctor->callback([options, run] { *run = [options] { return Doctor(*options); }; });
}

}  // namespace twinpath
