// SPDX-License-Identifier: BSD-3-Clause
// Set-up, the choice of the mode, and snapshots.

#include "src/splice/splicer.h"

#include "src/splice/snapshot.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/config/json/json_document.h"
#include "src/splice/connect/socket.h"

namespace twinpath::splice {
namespace {

constexpr uint64_t kOwnDescriptors = 64;        // libraries, telemetry and its clients
constexpr uint64_t kDescriptorsPerWorker = 16;  // epoll, maps
constexpr uint64_t kSparePipesPerWorker = 64;   // two descriptors each, in mode splice

struct ModeChoice {
  Mode mode = Mode::kCopy;
  std::string why;
  std::vector<std::unique_ptr<Sockmap>> sockmaps;  // one per worker, in mode sockmap
};

absl::Status LoadSockmaps(const SplicerOptions& options, ModeChoice* choice) {
  for (uint32_t worker = 0; worker < options.workers; worker++) {
    auto sockmap = Sockmap::Load(options.max_connections);
    if (!sockmap.ok()) return sockmap.status();
    choice->sockmaps.push_back(*std::move(sockmap));
  }
  return absl::OkStatus();
}

absl::StatusOr<ModeChoice> ChooseMode(const SplicerOptions& options) {
  ModeChoice choice;
  choice.mode = options.mode.value_or(kAutoMode);
  choice.why = options.mode.has_value() ? "as asked" : kAutoWhy;
  if (const std::string missing = MissingCapabilities(); !options.mode && !missing.empty())
    absl::StrAppend(&choice.why, "; sockmap would need ", missing);
  if (choice.mode != Mode::kSockmap) return choice;
  const absl::Status status = LoadSockmaps(options, &choice);
  if (!status.ok()) return status;
  return choice;
}

void AddCounters(const SplicerCounters& counters, uint32_t open, SpliceSnapshot* splice) {
  splice->counters = {{"accepted", counters.accepted},
                      {"open", open},
                      {"refused", counters.refused},
                      {"refused_by_chaos", counters.refused_by_chaos},
                      {"failed", counters.failed},
                      {"finished", counters.finished},
                      {"reset", counters.reset},
                      {"reset_by_chaos", counters.reset_by_chaos},
                      {"idle", counters.idle},
                      {"aborted", counters.aborted},
                      {"drained", counters.drained},
                      {"to_target_bytes", counters.to_target_bytes},
                      {"to_client_bytes", counters.to_client_bytes}};
}

}  // namespace

uint64_t DescriptorsFor(uint64_t connections, Mode mode) {
  // Two sockets. In mode splice also a pipe (two descriptors) each way, while it holds bytes.
  return connections * (mode == Mode::kSplice ? 6 : 2);
}

absl::Status FitDescriptors(SplicerOptions* options, bool may_lower) {
  const Mode mode = options->mode.value_or(kAutoMode);
  const uint64_t pipes = mode == Mode::kSplice ? 2 * kSparePipesPerWorker : 0;
  const uint64_t own = kOwnDescriptors + (kDescriptorsPerWorker + pipes) * options->workers;
  const uint64_t needed = own + DescriptorsFor(options->max_connections, mode);
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= needed) return absl::OkStatus();
  rlimit raised = {.rlim_cur = needed, .rlim_max = std::max<rlim_t>(needed, limit.rlim_max)};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return absl::OkStatus();
  const uint64_t each = DescriptorsFor(1, mode);
  const uint64_t room = limit.rlim_max > own ? (limit.rlim_max - own) / each : 0;
  if (room == 0)
    return absl::FailedPreconditionError(
        absl::StrCat("not enough file descriptors for one connection in mode ", ModeName(mode),
                     ": needs ", own + each, " with the program's own, limit is ", limit.rlim_max,
                     "; raise it with ulimit -Hn ", own + each));
  if (!may_lower)
    return absl::FailedPreconditionError(absl::StrCat(
        "--max-connections: ", options->max_connections, " in mode ", ModeName(mode), " need ",
        needed, " file descriptors, limit is ", limit.rlim_max, "; raise it with ulimit -Hn ",
        needed, ", or use at most ", room, " connections"));
  raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &raised);
  options->max_connections = static_cast<uint32_t>(room);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Splicer>> Splicer::Create(
    SplicerOptions options, std::function<void(const std::string&)> log) {
  // Opens the listener first, because a port in use is the most likely mistake.
  auto listener = Listen(options.listen);
  if (!listener.ok()) return listener.status();
  for (const Address& target : options.targets)
    if (IsAcceptedBy(target, LocalAddress(listener->get())))
      return absl::InvalidArgumentError(absl::StrCat(
          "--to: ", Quote(target.text()),
          " is where --listen accepts connections: each connection would open another"));
  auto choice = ChooseMode(options);
  if (!choice.ok()) return choice.status();
  auto splicer = std::unique_ptr<Splicer>(new Splicer(std::move(options), choice->mode, choice->why,
                                                      *std::move(listener), std::move(log)));
  for (uint32_t i = 0; i < splicer->options_.workers; i++) {
    auto worker = Worker::Start(
        &splicer->shared_, choice->sockmaps.empty() ? nullptr : std::move(choice->sockmaps[i]));
    if (!worker.ok()) return worker.status();
    splicer->workers_.push_back(*std::move(worker));
  }
  return splicer;
}

Splicer::Splicer(SplicerOptions options, Mode mode, std::string why, FileDescriptor listener,
                 std::function<void(const std::string&)> log)
    : options_(std::move(options)),
      why_(std::move(why)),
      listener_(std::move(listener)),
      address_(LocalAddress(listener_.get()).text()),
      log_(std::move(log)),
      targets_(options_.targets, options_.retry),
      shared_{.options = options_,
              .mode = mode,
              .listener = listener_.get(),
              .targets = targets_,
              .log = log_},
      started_(Clock::now()) {}

Splicer::~Splicer() { (void)Stop().ok(); }

std::vector<uint64_t> Splicer::Progress() {
  std::vector<uint64_t> turns;
  for (auto& worker : workers_) turns.push_back(worker->WakeAndCountTurns());
  return turns;
}

void Splicer::Drain() {
  for (const auto& worker : workers_) worker->Drain();
  // The kernel now refuses new clients, and resets those that no worker has accepted yet.
  shutdown(listener_.get(), SHUT_RD);
}

absl::Status Splicer::Stop() {
  for (const auto& worker : workers_) worker->End();
  log_.Finish();
  return absl::OkStatus();
}

Snapshot Splicer::TakeSnapshot() const {
  const Clock::time_point now = Clock::now();
  Snapshot snapshot = {.path = "splice",
                       .version = TWINPATH_VERSION,
                       .seed = options_.chaos.seed,
                       .duration_s = std::chrono::duration<double>(now - started_).count()};
  SpliceSnapshot splice;
  splice.listen = address_;
  splice.mode = ModeName(shared_.mode);
  splice.why = why_;
  splice.workers = options_.workers;
  splice.max_connections = options_.max_connections;
  SplicerCounters counters;
  for (const auto& worker : workers_) worker->AddTo(now, &counters, &splice.connections);
  std::sort(splice.connections.begin(), splice.connections.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  AddCounters(counters, static_cast<uint32_t>(splice.connections.size()), &splice);
  splice.targets = targets_.Snapshot(now);
  snapshot.sections = MakeSections(splice);
  return snapshot;
}

}  // namespace twinpath::splice
