// SPDX-License-Identifier: BSD-3-Clause
// twinpath sweep: runs a command under each combination of a policy's parameters. Main thread.

#include <memory>

#include "apps/twinpath/subcommand.h"
#include "apps/twinpath/sweep/job.h"

namespace twinpath {
namespace {

constexpr uint32_t kMostRepetitions = 1000;

void AddList(CLI::App* sweep, const char* option, const char* type, const char* help,
             std::vector<std::string>* values) {
  sweep->add_option(option, *values, help)
      ->type_name(type)
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

}  // namespace

void AddSweep(CLI::App* app, Run* run) {
  auto options = std::make_shared<SweepOptions>();
  CLI::App* sweep = app->add_subcommand(
      "sweep", "Run a command under each combination of a policy's parameters, collect results");
  sweep->add_option("POLICY", options->policy, "The policy's JSON file")
      ->type_name("FILE")
      ->required();
  AddList(sweep, "--set", "POINTER=V,...",
          "A place of the policy and its values, such as /rules/0/loss/rate=0%,1%; repeat for more "
          "places",
          &options->sets);
  AddList(sweep, "--get", "NAME=POINTER",
          "A result: a place in the JSON that the command prints; repeat for more", &options->gets);
  sweep->add_option("--repeat", options->repeat, "How often all combinations are run")
      ->type_name("N")
      ->check(CLI::Range(uint32_t{1}, kMostRepetitions))
      ->capture_default_str();
  AddRunningChoice(sweep, PolicyPaths(), &options->program);
  sweep
      ->add_option("--write", options->write,
                   "Write each policy to this file, and load it into no program")
      ->type_name("FILE");
  sweep
      ->add_option("--settle", options->settle,
                   "The time between the policy and the command: 500ms, 2s")
      ->type_name("TIME")
      ->capture_default_str();
  sweep->add_option("--timeout", options->timeout, "The longest time of a run (default: no limit)")
      ->type_name("TIME");
  sweep->add_option("--json", options->json, "Write the results as JSON; -: to standard output")
      ->type_name("FILE");
  sweep->add_option("--csv", options->csv, "Write a line for each run; -: to standard output")
      ->type_name("FILE");
  sweep->add_option("--report", options->report, "Write page, JSON and CSV to this folder")
      ->type_name("DIR");
  sweep->add_flag("--resume", options->resume, "Go on with what the folder's sweep has not run");
  sweep->footer("The command and its arguments are behind --");
  sweep->callback([options, run] {
    options->command = CommandWords();
    *run = [options] { return RunSweepJob(*options); };
  });
}

}  // namespace twinpath
