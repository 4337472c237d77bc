// SPDX-License-Identifier: BSD-3-Clause
// Only EAL knows which options and virtual devices it accepts, and it can start only once in a
// process. Therefore a child process starts it, with a temporary runtime folder and, if permitted,
// in a separate network namespace. Main thread.

#include "apps/twinpath/doctor_start.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "src/dpdk/replay/dry_run.h"

namespace twinpath {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kTimeout(30);

// Creates an empty folder and returns its path; "": none could be created.
std::string MakeScratch() {
  std::error_code error;
  for (const fs::path& base :
       {fs::temp_directory_path(error), fs::path("/tmp"), fs::path("/dev/shm")}) {
    std::string name = base / "twinpath-doctor-XXXXXX";
    if (mkdtemp(name.data()) != nullptr) return name;
  }
  return "";
}

void WriteAll(int to, const std::string& text) {
  for (size_t written = 0; written < text.size();) {
    const ssize_t n = write(to, text.data() + written, text.size() - written);
    if (n <= 0) return;
    written += static_cast<size_t>(n);
  }
}

// Runs in the child: writes a line with the untried devices, then the error. Both may be empty.
void Child(int to, const std::string& scratch, const Profile& profile, const Policy& policy,
           const CompiledPolicy& compiled) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  setenv("RUNTIME_DIRECTORY", scratch.c_str(), 1);
  const int network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  DryRun dry_run = PlanDryRun(profile, true);  // before unshare() hides the interfaces
  const bool own_network = network >= 0 && unshare(CLONE_NEWNET) == 0;
  if (!own_network) dry_run = PlanDryRun(profile, false);
  const absl::Status status = RunDryRun(dry_run, policy, compiled, own_network ? network : -1);
  WriteAll(to, absl::StrCat(absl::StrJoin(dry_run.unstarted, " ",
                                          [](std::string* out, const Vdev& vdev) {
                                            absl::StrAppend(out, vdev.name);
                                          }),
                            "\n", status.ok() ? "" : status.message()));
}

// Reads the child's output until the child closes the pipe. Returns false if that takes too long.
bool ReadUntilClosed(int from, std::string* text) {
  const auto end = std::chrono::steady_clock::now() + kTimeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd waiting = {.fd = from, .events = POLLIN, .revents = 0};
    if (left.count() <= 0) return false;
    const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    char part[4096];
    const ssize_t n = ready > 0 ? read(from, part, sizeof(part)) : -1;
    if (n < 0) return false;
    if (n == 0) return true;
    text->append(part, static_cast<size_t>(n));
  }
}

}  // namespace

StartDryRun DryRunStart(const Profile& profile, const Policy& policy,
                        const CompiledPolicy& compiled) {
  StartDryRun result;
  const std::string scratch = MakeScratch();
  int ends[2] = {-1, -1};
  if (scratch.empty() || pipe2(ends, O_CLOEXEC) != 0) {
    result.refusal =
        absl::StrCat("no trial start: cannot make a folder or a pipe: ", std::strerror(errno));
    return result;
  }
  const pid_t child = fork();
  if (child == 0) {
    Child(ends[1], scratch, profile, policy, compiled);
    _exit(0);  // without destructors: the objects belong to the parent
  }
  close(ends[1]);
  std::string text;
  int status = 0;
  const bool finished = child > 0 && ReadUntilClosed(ends[0], &text);
  close(ends[0]);
  if (child > 0) {
    kill(child, SIGKILL);  // it has written everything, or hangs
    waitpid(child, &status, 0);
  }
  std::error_code error;
  fs::remove_all(scratch, error);
  const size_t line = text.find('\n');
  if (!finished) {
    result.refusal = child < 0
                         ? absl::StrCat("no trial start: fork: ", std::strerror(errno))
                         : absl::StrCat("trial start timed out after ", kTimeout.count(), " s");
  } else if (line == std::string::npos) {
    result.refusal = absl::StrCat("trial start ended by signal ", WTERMSIG(status), " (",
                                  strsignal(WTERMSIG(status)), ")");
  } else {
    result.untried = absl::StrSplit(text.substr(0, line), ' ', absl::SkipEmpty());
    result.refusal = text.substr(line + 1);
  }
  return result;
}

}  // namespace twinpath
