// SPDX-License-Identifier: BSD-3-Clause
// A program that runs as a child: an engine, the generator, ip, nft. Started by posix_spawn,
// watched and waited for by a pidfd. Main thread.

#ifndef TWINPATH_COMPARE_LAB_CHILD_H_
#define TWINPATH_COMPARE_LAB_CHILD_H_

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/kernel/file_descriptor.h"

namespace twinpath {

struct ChildOptions {
  std::string output;          // the file that gets standard output
  std::string errors;          // the file that gets standard error; empty: `output`
  std::vector<uint32_t> cpus;  // it may run on these; empty: as this process
  bool keeps_input = true;     // false: its standard input is at its end
  std::vector<std::pair<std::string, std::string>> variables = {};  // of its environment, added
};

class Child {
 public:
  // Starts argv[0], which is searched in PATH, in a process group of its own, with no signal
  // blocked. Its standard input stays open and empty until it is to end, unless the options say
  // otherwise. NotFound: there is no such program.
  static absl::StatusOr<Child> Start(const std::vector<std::string>& argv,
                                     const ChildOptions& options);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  // Kills it if it still runs.
  ~Child();

  pid_t pid() const { return pid_; }
  // Its exit status (128 and the signal, if one killed it), if it ends before `timeout` is over.
  std::optional<int> WaitFor(std::chrono::milliseconds timeout);
  bool Running() { return !WaitFor(std::chrono::milliseconds(0)).has_value(); }
  // Asks it to end by `signal`; kills it after `grace`. Returns its exit status.
  int Stop(int signal, std::chrono::milliseconds grace);
  // As Stop, for all processes of its group: a shell and what the shell has started.
  int StopGroup(int signal, std::chrono::milliseconds grace);

 private:
  Child(pid_t pid, FileDescriptor pidfd, FileDescriptor input)
      : pid_(pid), pidfd_(std::move(pidfd)), input_(std::move(input)) {}

  pid_t pid_ = -1;
  FileDescriptor pidfd_, input_;
  std::optional<int> status_;
};

// Runs a program to its end. Returns what it wrote to both outputs. FailedPrecondition with that
// text where its exit status is not 0; DeadlineExceeded where it takes longer than `timeout`.
absl::StatusOr<std::string> RunChild(const std::vector<std::string>& argv,
                                     const std::string& folder, std::chrono::milliseconds timeout);

// As a person would type it.
std::string CommandText(const std::vector<std::string>& argv);

// The program's path, searched as execvp does; empty: there is none.
std::string ProgramInPath(const std::string& name);

// The file's contents; empty where it cannot be read.
std::string ReadFile(const std::string& path);

}  // namespace twinpath

#endif  // TWINPATH_COMPARE_LAB_CHILD_H_
