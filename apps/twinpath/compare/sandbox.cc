// SPDX-License-Identifier: BSD-3-Clause

#include "apps/twinpath/compare/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "apps/program.h"
#include "src/kernel/machine.h"

namespace twinpath {
namespace {

constexpr char kHugepageFile[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";
constexpr uint64_t kHugepageBytes = 2 << 20;
constexpr std::chrono::milliseconds kSignalLook(50);

absl::Status CallError(const std::string& call, int error) {
  const std::string text = absl::StrCat(call, ": ", std::strerror(error));
  if (error == EPERM || error == EACCES)
    return absl::PermissionDeniedError(absl::StrCat(
        text,
        "; a comparison makes network namespaces, interfaces and XDP programs: run it as root"));
  return absl::InternalError(text);
}

uint64_t ReadHugepages() {
  uint64_t total = 0;
  std::ifstream(kHugepageFile) >> total;
  return total;
}

void WriteHugepages(uint64_t total) { std::ofstream(kHugepageFile) << total; }

// Makes so many pages free. Returns how many it added.
uint64_t AddHugepages(uint32_t wanted) {
  uint64_t free = 0;
  for (const HugepageSize& size : Machine().Hugepages())
    if (size.bytes == kHugepageBytes) free = size.free;
  if (free >= wanted) return 0;
  const uint64_t total = ReadHugepages();
  WriteHugepages(total + wanted - free);
  const uint64_t now = ReadHugepages();
  return now > total ? now - total : 0;
}

// What this program leaves on the machine outside the sandbox, until its end.
struct Loan {
  std::string folder;
  uint64_t hugepages = 0;  // that were added
};

void GiveBack(const Loan& loan) {
  if (loan.hugepages) {
    const uint64_t total = ReadHugepages();
    WriteHugepages(total > loan.hugepages ? total - loan.hugepages : 0);
  }
  rmdir(loan.folder.c_str());
}

// A process that gives the loan back when the other end of the pipe is closed, in whatever way this
// program ends.
class Keeper {
 public:
  static absl::StatusOr<Keeper> Start(const Loan& loan) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return CallError("pipe2", errno);
    Keeper keeper;
    keeper.end_ = FileDescriptor(ends[1]);
    FileDescriptor other(ends[0]);
    keeper.pid_ = fork();
    if (keeper.pid_ < 0) return CallError("fork", errno);
    if (keeper.pid_ != 0) return keeper;
    setsid();
    keeper.end_ = FileDescriptor();
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    char byte;
    while (read(other.get(), &byte, 1) < 0 && errno == EINTR) {
    }
    GiveBack(loan);
    _exit(0);
  }
  Keeper(Keeper&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), end_(std::move(other.end_)) {}
  ~Keeper() {
    Release();
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  // For a child of this process, which must not keep the pipe open.
  void Forget() {
    pid_ = -1;
    Release();
  }

 private:
  Keeper() = default;
  void Release() { end_ = FileDescriptor(); }
  pid_t pid_ = -1;
  FileDescriptor end_;
};

absl::Status Mount(const char* type, const std::string& target, const char* options = nullptr) {
  if (mount(type, target.c_str(), type, 0, options) == 0) return absl::OkStatus();
  return CallError(absl::StrCat("mounting ", type, " at ", target), errno);
}

// What the first process of the sandbox does before the function runs.
absl::Status Furnish(const SandboxOptions& options, bool hugepages, Sandbox* sandbox) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return CallError("prctl", errno);
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return CallError("making mounts private", errno);
  absl::Status status = Mount("proc", "/proc");
  status.Update(Mount("tmpfs", sandbox->folder, "mode=700"));
  if (options.own_network) {
    status.Update(Mount("sysfs", "/sys"));  // shows the interfaces of this network only
    status.Update(Mount("bpf", "/sys/fs/bpf"));
  }
  if (!status.ok()) return status;
  const std::string huge = sandbox->folder + "/huge", run = sandbox->folder + "/run";
  mkdir(huge.c_str(), 0700);
  mkdir(run.c_str(), 0700);
  if (hugepages && Mount("hugetlbfs", huge, "pagesize=2M").ok()) sandbox->huge_folder = huge;
  setenv("RUNTIME_DIRECTORY", run.c_str(), 1);
  setenv("LIBXDP_SKIP_DISPATCHER", "1", 1);
  return absl::OkStatus();
}

int WaitFor(pid_t child, const HeldSignals& signals) {
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
    if (signals.WaitUntil(HeldSignals::Clock::now() + kSignalLook)) kill(child, SIGTERM);
  }
}

}  // namespace

absl::StatusOr<int> RunInSandbox(const SandboxOptions& options, const HeldSignals& signals,
                                 const std::function<int(Sandbox)>& run) {
  Sandbox sandbox;
  const char* temporary = std::getenv("TMPDIR");
  sandbox.folder = absl::StrCat(temporary && *temporary ? temporary : "/tmp", "/twinpath-XXXXXX");
  sandbox.root = getpid();
  sandbox.proc = FileDescriptor(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (geteuid() != 0) return CallError("starting", EPERM);
  if (!mkdtemp(sandbox.folder.data())) return CallError("making " + sandbox.folder, errno);
  const Loan loan = {sandbox.folder, AddHugepages(options.hugepages)};
  auto keeper = Keeper::Start(loan);
  if (!keeper.ok()) {
    GiveBack(loan);
    return keeper.status();
  }
  if (unshare(CLONE_NEWPID | CLONE_NEWNS | (options.own_network ? CLONE_NEWNET : 0)) != 0)
    return CallError("unshare", errno);
  const bool hugepages = ReadHugepages() > 0;
  std::cout.flush();
  const pid_t child = fork();
  if (child < 0) return CallError("fork", errno);
  if (child != 0) return WaitFor(child, signals);
  keeper->Forget();
  int status;
  if (const absl::Status furnished = Furnish(options, hugepages, &sandbox); !furnished.ok()) {
    status = PrintError("twinpath compare", kWrong, furnished);
  } else {
    status = run(std::move(sandbox));
  }
  _exit(FinishOutput("twinpath compare", status));
}

}  // namespace twinpath
