// SPDX-License-Identifier: BSD-3-Clause
// Starts and ends EAL. Control thread.

#include "src/dpdk/eal/eal.h"

#include <rte_config.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/dpdk/quirks/stderr_capture.h"

namespace twinpath {
namespace {

// Whether the user gave `option`, as "--x", "--x=v" or (one dash) "-x", "-xv".
bool IsOption(const std::string& argument, absl::string_view option) {
  if (absl::StartsWith(option, "--"))
    return argument == option || absl::StartsWith(argument, absl::StrCat(option, "="));
  return absl::StartsWith(argument, option) && !absl::StartsWith(argument, "--");
}

bool Has(const std::vector<std::string>& arguments, absl::string_view option) {
  for (const std::string& argument : arguments)
    if (IsOption(argument, option)) return true;
  return false;
}

// The value of the last `option`; empty if there is none.
std::string ValueOf(const std::vector<std::string>& arguments, absl::string_view option) {
  std::string value;
  for (size_t i = 0; i < arguments.size(); i++) {
    if (!IsOption(arguments[i], option)) continue;
    if (arguments[i].size() == option.size()) {
      if (i + 1 < arguments.size()) value = arguments[i + 1];
    } else {
      value = arguments[i].substr(option.size());
      if (value[0] == '=') value.erase(0, 1);
    }
  }
  return value;
}

}  // namespace

absl::StatusOr<EalPlan> PlanEal(const EalRequest& request) {
  const std::vector<std::string>& user = request.arguments;
  for (const char* option : {"-l", "-c", "--lcores", "--main-lcore", "-s", "-S"}) {
    if (Has(user, option))
      return absl::InvalidArgumentError(
          absl::StrCat("EAL argument ", option, ": lcores are chosen by --lcores or the profile"));
  }
  EalPlan plan;
  plan.file_prefix = request.file_prefix;
  if (Has(user, "--file-prefix")) plan.file_prefix = ValueOf(user, "--file-prefix");
  if (plan.file_prefix.empty() || plan.file_prefix[0] == '.' ||
      absl::StrContains(plan.file_prefix, "/"))
    return absl::InvalidArgumentError(
        "EAL argument --file-prefix: a name, without '/' and not starting with '.'");
  plan.hugepages = !Has(user, "--no-huge");
  plan.quiet = !Has(user, "--log-level");
  plan.private_memory = !plan.hugepages || Has(user, "--in-memory");

  std::vector<std::string>& out = plan.arguments;
  out = {"-l", absl::StrJoin(request.lcores, ","),
         absl::StrCat("--main-lcore=", request.lcores.front())};
  if (!Has(user, "--file-prefix")) out.push_back(absl::StrCat("--file-prefix=", plan.file_prefix));
  if (plan.quiet) out.emplace_back("--log-level=error");
  if (!request.telemetry) out.emplace_back("--no-telemetry");
  for (const std::string& address : request.pci) {
    out.emplace_back("-a");
    out.push_back(address);
  }
  if (request.pci.empty() && !Has(user, "-a") && !Has(user, "--allow") && !Has(user, "--no-pci"))
    out.emplace_back("--no-pci");
  // If no NIC needs physical addresses, DMA uses virtual ones. A mempool is then contiguous, as an
  // AF_XDP umem must be.
  if (request.pci.empty() && !Has(user, "--iova-mode")) out.emplace_back("--iova-mode=va");
  if (!plan.hugepages) {
    if (!Has(user, "--no-shconf")) out.emplace_back("--no-shconf");
    plan.memory_bytes = ((request.memory_bytes >> 20) + 1) << 20;
    uint64_t megabytes = 0;
    if (!Has(user, "-m"))
      out.push_back(absl::StrCat("-m", plan.memory_bytes >> 20));
    else if (absl::SimpleAtoi(ValueOf(user, "-m"), &megabytes))
      plan.memory_bytes = megabytes << 20;
  } else if (!plan.private_memory) {
    bool shared = false;
    for (const char* option : {"--huge-dir", "--huge-unlink", "--legacy-mem", "--proc-type",
                               "--socket-mem", "--socket-limit"})
      shared |= Has(user, option);
    if (!shared) {
      out.emplace_back("--in-memory");
      plan.private_memory = true;
    }
  }
  out.insert(out.end(), user.begin(), user.end());
  return plan;
}

absl::StatusOr<Eal> Eal::Create(const EalPlan& plan, FilePrefixLock instance) {
  // Otherwise libxdp first tries a dispatcher that many kernels refuse, and reports it on stderr.
  setenv("LIBXDP_SKIP_DISPATCHER", "1", 0);
  std::vector<std::string> words = {"twinpath-dpdk"};
  words.insert(words.end(), plan.arguments.begin(), plan.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(words.size()), argv.data()) < 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("EAL did not start: ", rte_strerror(rte_errno), StderrCapture::LastLine(),
                     "; arguments: ", absl::StrJoin(plan.arguments, " ")));
  }
  return Eal(plan.private_memory, std::move(instance));
}

Eal::~Eal() {
  // The kernel frees private memory when the process ends. rte_eal_cleanup would unmap memory that
  // librte_telemetry's threads still use; nobody can stop those threads.
  if (instance_.held() && !private_memory_) rte_eal_cleanup();
}

}  // namespace twinpath
