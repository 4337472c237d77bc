// SPDX-License-Identifier: BSD-3-Clause

#include "src/compare/lab/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "src/kernel/shell_word.h"

namespace twinpath {
namespace {

// The CPUs of the calling thread, which its children inherit, are others while this exists.
class CpuScope {
 public:
  explicit CpuScope(const std::vector<uint32_t>& cpus) : active_(!cpus.empty()) {
    if (!active_) return;
    active_ = sched_getaffinity(0, sizeof(before_), &before_) == 0;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (uint32_t cpu : cpus) CPU_SET(cpu, &set);
    if (active_) sched_setaffinity(0, sizeof(set), &set);
  }
  ~CpuScope() {
    if (active_) sched_setaffinity(0, sizeof(before_), &before_);
  }

 private:
  bool active_;
  cpu_set_t before_;
};

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// This process's environment, with the variables added or replaced.
std::vector<std::string> EnvironmentWith(
    const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; entry++) {
    const std::string name = std::string(*entry).substr(0, std::string(*entry).find('='));
    if (std::none_of(variables.begin(), variables.end(),
                     [&name](const auto& variable) { return variable.first == name; }))
      environment.emplace_back(*entry);
  }
  for (const auto& variable : variables)
    environment.push_back(absl::StrCat(variable.first, "=", variable.second));
  return environment;
}

int Spawn(const std::vector<std::string>& argv, const ChildOptions& options, int input,
          pid_t* pid) {
  const std::vector<char*> pointers = Pointers(argv);
  const std::vector<std::string> environment = EnvironmentWith(options.variables);
  const std::vector<char*> variables = Pointers(environment);
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&files);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  constexpr int kWrite = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, options.output.c_str(), kWrite, 0600);
  if (options.errors.empty()) {
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, options.errors.c_str(), kWrite, 0600);
  }
  const CpuScope scope(options.cpus);
  const int error =
      posix_spawnp(pid, pointers[0], &files, &attributes, pointers.data(), variables.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error;
}

}  // namespace

absl::StatusOr<Child> Child::Start(const std::vector<std::string>& argv,
                                   const ChildOptions& options) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return absl::InternalError(absl::StrCat("pipe2: ", std::strerror(errno)));
  FileDescriptor input(ends[0]), open(ends[1]);
  if (!options.keeps_input) open = FileDescriptor();
  pid_t pid = -1;
  if (const int error = Spawn(argv, options, input.get(), &pid)) {
    const std::string text = absl::StrCat("starting ", argv[0], ": ", std::strerror(error));
    if (error == ENOENT) return absl::NotFoundError(text);
    return absl::InternalError(text);
  }
  FileDescriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.get() < 0) {
    const int error = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return absl::InternalError(absl::StrCat("pidfd_open: ", std::strerror(error)));
  }
  return Child(pid, std::move(pidfd), std::move(open));
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      input_(std::move(other.input_)),
      status_(other.status_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(input_, other.input_);
  std::swap(status_, other.status_);
  return *this;
}

Child::~Child() {
  if (pid_ > 0 && !status_) Stop(SIGKILL, std::chrono::milliseconds(0));
}

std::optional<int> Child::WaitFor(std::chrono::milliseconds timeout) {
  if (status_ || pid_ <= 0) return status_.value_or(0);
  pollfd event = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (poll(&event, 1, static_cast<int>(timeout.count())) < 0 && errno == EINTR) {
    timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (timeout.count() < 0) timeout = std::chrono::milliseconds(0);
  }
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_)
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return status_;
}

int Child::Stop(int signal, std::chrono::milliseconds grace) {
  if (const auto ended = WaitFor(std::chrono::milliseconds(0))) return *ended;
  kill(pid_, signal);
  input_ = FileDescriptor();
  if (const auto ended = WaitFor(grace)) return *ended;
  kill(pid_, SIGKILL);
  return WaitFor(std::chrono::minutes(1)).value_or(128 + SIGKILL);
}

int Child::StopGroup(int signal, std::chrono::milliseconds grace) {
  if (status_ || pid_ <= 0) return status_.value_or(0);
  // The group's number stays taken until WaitFor has waited for the child.
  kill(-pid_, signal);
  input_ = FileDescriptor();
  pollfd event = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  while (poll(&event, 1, static_cast<int>(grace.count())) < 0 && errno == EINTR) continue;
  kill(-pid_, SIGKILL);
  return WaitFor(std::chrono::minutes(1)).value_or(128 + SIGKILL);
}

absl::StatusOr<std::string> RunChild(const std::vector<std::string>& argv,
                                     const std::string& folder, std::chrono::milliseconds timeout) {
  const std::string output = folder + "/output";
  unlink(output.c_str());
  auto child = Child::Start(argv, {.output = output, .errors = "", .cpus = {}});
  if (!child.ok()) return child.status();
  const auto status = child->WaitFor(timeout);
  if (!status) {
    child->Stop(SIGKILL, std::chrono::milliseconds(0));
    return absl::DeadlineExceededError(absl::StrCat(CommandText(argv), " did not end"));
  }
  std::string text = ReadFile(output);
  if (*status == 0) return text;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return absl::FailedPreconditionError(
      absl::StrCat(CommandText(argv), text.empty() ? "" : ": ", text));
}

std::string CommandText(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& word : argv) {
    // A '=' needs no quotes in an argument.
    const std::string rest = absl::StrReplaceAll(word, {{"=", "_"}});
    absl::StrAppend(&text, text.empty() ? "" : " ",
                    ShellWord(rest) == rest ? word : ShellWord(word));
  }
  return text;
}

std::string ProgramInPath(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0 ? name : "";
  const char* path = std::getenv("PATH");
  for (const std::string& folder :
       std::vector<std::string>(absl::StrSplit(path ? path : "/usr/sbin:/usr/bin", ':'))) {
    std::string file = absl::StrCat(folder.empty() ? "." : folder, "/", name);
    if (access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

}  // namespace twinpath
