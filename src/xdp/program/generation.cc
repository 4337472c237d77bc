// SPDX-License-Identifier: BSD-3-Clause
// A skeleton that loads no program creates the tables. Each program has its own skeleton; it shares
// the tables, and the plan of the port's other programs.

#include "src/xdp/program/generation.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "src/config/compile/rule_table.h"
#include "src/policy/pipeline.h"
#include "src/xdp/program/skeleton.h"

namespace twinpath {
namespace {

// Room for twice as many elements as are needed now, and at least 1,024.
uint32_t Room(size_t needed) {
  size_t room = 1024;
  while (room < 2 * needed) room *= 2;
  return Elements(room);
}

// The tier of the port's programs. The headers tier has two programs: "tuple" reads only a few
// words of the key.
const char* TierName(const CompiledPolicy& policy, size_t port) {
  const tp_plan& plan = policy.plans[port];
  if (plan.tier == TP_TIER_GENERAL) return "general";
  if (plan.tier == TP_TIER_BLIND) return "blind";
  uint32_t words = 0;
  for (uint32_t i = 0; i < plan.n_shapes; i++) {
    const tp_key& key = policy.shapes[plan.first_shape + i].mask;
    uint64_t mask[TP_KEY_WORDS];
    std::memcpy(mask, &key, sizeof(mask));
    for (int word = 0; word < TP_KEY_WORDS; word++)
      if (mask[word]) words |= TP_WORD(word);
    if (key.length) words |= TP_WORD_LENGTH;
  }
  return (words & ~static_cast<uint32_t>(TP_TUPLE_WORDS)) ? "headers" : "tuple";
}

const char* FramesName(XdpFrames frames) {
  switch (frames) {
    case XdpFrames::kFragments:
      return "frags";
    case XdpFrames::kShared:
      return "shared";
    case XdpFrames::kPlain:
      break;
  }
  return "plain";
}

// tp_traits has no padding.
bool SameTraits(const tp_traits& a, const tp_traits& b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

int ProgramOf(const Skeleton& skeleton, const std::string& name) {
  return bpf_program__fd(bpf_object__find_program_by_name(skeleton->obj, name.c_str()));
}

tp_binding BindingOf(const tp_rule& rule) {
  return {.slot = rule.slot, .terms = tp_rule_terms(&rule), .padding = 0};
}

tp_port_plan PlanOf(const CompiledPolicy& policy, size_t port, const StreamPlaces& places) {
  const tp_plan& plan = policy.plans[port];
  tp_port_plan made = {};
  made.n_shapes = plan.n_shapes;
  made.fallback = plan.fallback;
  made.bucket_shift = BucketShift(policy.buckets.size());
  made.timed = policy.timed;
  made.drops_malformed = policy.drops_malformed;
  made.own_rule = places.own_rule[port];
  made.own_place = places.own_place[port] * TP_MAX_XDP_QUEUES;
  std::copy_n(policy.shapes.begin() + plan.first_shape, plan.n_shapes, made.shapes);
  return made;
}

tp_traits TraitsOf(const CompiledPolicy& policy, size_t port, uint32_t first_queue,
                   const StreamPlaces& places) {
  const tp_plan& plan = policy.plans[port];
  tp_traits made = {};
  if (plan.tier == TP_TIER_HEADERS) {
    made.one_shape = plan.n_shapes == 1;
    made.direct = places.direct && places.own_rule[port] == TP_NO_RULE;
  }
  if (plan.tier == TP_TIER_BLIND) {
    const bool own = places.own_rule[port] == plan.fallback;
    made.blind_record =
        own ? places.own_place[port] * TP_MAX_XDP_QUEUES + first_queue : TP_NO_RECORD;
    made.blind = BindingOf(policy.rules[plan.fallback]);
    if (own) made.blind.slot = 0;  // not used
  }
  return made;
}

}  // namespace

struct XdpGeneration::Loaded {
  struct Program {
    Skeleton skeleton;
    tp_traits traits;
  };
  struct Port {
    tp_port_plan plan = {};
    std::map<std::string, Program> programs;  // by name
    tp_port_plan* shared_plan = nullptr;      // shared by the programs; null before the first
  };

  const XdpMaps* maps;
  const OutPorts* out_ports;
  size_t number;
  bool flows;       // the programs use a flow table
  Skeleton tables;  // without programs
  std::vector<Port> ports;
#define TP_TABLE_MAPPED(name, row) MappedArray<row> name;
  TP_SHARED_TABLES(TP_TABLE_MAPPED)
#undef TP_TABLE_MAPPED
  MappedArray<tp_binding> bindings;

  // Calls `each(map, rows, array)` for every table: its map, the policy's rows, and the map's
  // memory.
  template <typename Each>
  void ForEach(const CompiledPolicy& policy, const Each& each) {
#define TP_TABLE_EACH(name, row) each(tables->maps.tp_##name, policy.name, name);
    TP_SHARED_TABLES(TP_TABLE_EACH)
#undef TP_TABLE_EACH
  }
  absl::Status MakeTables(const CompiledPolicy& policy);
  absl::Status ShareMaps(const Skeleton& skeleton, size_t port) const;
  void SetConstants(size_t port, const tp_traits& traits, tp_constants* constants) const;
  absl::StatusOr<Skeleton> Load(size_t port, XdpFrames frames, const std::string& name,
                                const tp_traits& traits) const;
};

// Maps that the generation does not share have one element here, and are not used.
absl::Status XdpGeneration::Loaded::MakeTables(const CompiledPolicy& policy) {
  tables.reset(twinpath_bpf__open());
  if (!tables) return KernelError("opening the XDP object", errno);
  const auto size = [this](size_t rows) {
    return maps->reloadable() ? Room(rows) : Elements(rows);
  };
  ForEach(policy, [&](bpf_map* map, const auto& rows, const auto&) {
    bpf_map__set_max_entries(map, size(rows.size()));
  });
  bpf_map__set_max_entries(tables->maps.tp_bindings, size(policy.rules.size()));
  SelectProgram(tables, nullptr);
  bpf_map* map;
  bpf_object__for_each_map(map, tables->obj) {
    const int fd = maps->SharedMap(bpf_map__name(map));
    const int error = fd < 0 ? 0 : bpf_map__reuse_fd(map, fd);
    if (error) return KernelError(absl::StrCat("sharing map ", bpf_map__name(map)), -error);
  }
  const int error = twinpath_bpf__load(tables.get());
  if (error)
    return KernelError(absl::StrCat("making the tables of ", policy.rules.size(), " rules"),
                       -error);
  absl::Status mapped = bindings.Map(tables->maps.tp_bindings);
  ForEach(policy, [&mapped](const bpf_map* table, const auto&, auto& array) {
    mapped.Update(array.Map(table));
  });
  return mapped;
}

absl::Status XdpGeneration::Loaded::ShareMaps(const Skeleton& skeleton, size_t port) const {
  const auto& programs = ports[port].programs;
  bpf_map* map;
  bpf_object__for_each_map(map, skeleton->obj) {
    int fd = maps->SharedMap(bpf_map__name(map));
    if (IsTable(skeleton, map))
      fd = bpf_map__fd(bpf_object__find_map_by_name(tables->obj, bpf_map__name(map)));
    if (map == skeleton->maps.data_plan && !programs.empty())
      fd = bpf_map__fd(programs.begin()->second.skeleton->maps.data_plan);
    const int error = fd < 0 ? 0 : bpf_map__reuse_fd(map, fd);
    if (error) return KernelError(absl::StrCat("sharing map ", bpf_map__name(map)), -error);
  }
  return absl::OkStatus();
}

void XdpGeneration::Loaded::SetConstants(size_t port, const tp_traits& traits,
                                         tp_constants* constants) const {
  constants->port = static_cast<uint32_t>(port);
  constants->first_record =
      static_cast<uint32_t>(number) * TP_MAX_XDP_QUEUES + maps->first_queue(port);
  constants->first_queue = maps->first_queue(port);
  constants->n_queues = maps->queues(port);
  constants->n_slots = maps->slots();
  constants->no_xdp_tx = !out_ports->xdp_tx(port);
  constants->regions = maps->flows().regions;
  constants->region_buckets = maps->flows().region_buckets;
  constants->clock_given = maps->clock_given();
  constants->traits = traits;
}

absl::StatusOr<Skeleton> XdpGeneration::Loaded::Load(size_t port, XdpFrames frames,
                                                     const std::string& name,
                                                     const tp_traits& traits) const {
  Skeleton skeleton(twinpath_bpf__open());
  if (!skeleton) return KernelError("opening the XDP object", errno);
  bpf_program* program = SelectProgram(skeleton, name.c_str());
  if (frames == XdpFrames::kFragments) bpf_program__set_flags(program, BPF_F_XDP_HAS_FRAGS);
  if (absl::Status shared = ShareMaps(skeleton, port); !shared.ok()) return shared;
  SetConstants(port, traits, &skeleton->rodata->tp_constants);
  skeleton->data_plan->tp_port_plan = ports[port].plan;
  const int error = twinpath_bpf__load(skeleton.get());
  if (error)
    return KernelError(absl::StrCat("port ", out_ports->name(port), ": loading ", name), -error);
  absl::Status entered = out_ports->EnterAll(bpf_map__fd(skeleton->maps.tp_out_ports));
  if (!entered.ok()) return entered;
  return skeleton;
}

XdpGeneration::XdpGeneration(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
XdpGeneration::~XdpGeneration() = default;

absl::StatusOr<std::unique_ptr<XdpGeneration>> XdpGeneration::Create(const XdpMaps* maps,
                                                                     const OutPorts* out_ports,
                                                                     size_t number,
                                                                     const CompiledPolicy& policy) {
  auto loaded = std::make_unique<Loaded>();
  loaded->maps = maps;
  loaded->out_ports = out_ports;
  loaded->number = number;
  loaded->flows = maps->flows().regions != 0;
  loaded->ports.resize(maps->ports());
  if (absl::Status made = loaded->MakeTables(policy); !made.ok()) return made;
  return std::unique_ptr<XdpGeneration>(new XdpGeneration(std::move(loaded)));
}

bool XdpGeneration::Holds(const CompiledPolicy& policy) const {
  if (policy.has_flows && !loaded_->flows) return false;
  bool holds = policy.rules.size() <= bpf_map__max_entries(loaded_->tables->maps.tp_bindings);
  loaded_->ForEach(policy, [&holds](const bpf_map* map, const auto& rows, const auto&) {
    holds &= rows.size() <= bpf_map__max_entries(map);
  });
  return holds;
}

absl::StatusOr<int> XdpGeneration::Program(const CompiledPolicy& policy, size_t port,
                                           XdpFrames frames, const StreamPlaces& places) {
  const std::string name = absl::StrCat(
      "tp_", TierName(policy, port), "_", FramesName(frames),
      loaded_->maps->Completes(port) && frames != XdpFrames::kShared ? "_completing" : "");
  const tp_traits traits = TraitsOf(policy, port, loaded_->maps->first_queue(port), places);
  Loaded::Port& of = loaded_->ports[port];
  auto found = of.programs.find(name);
  if (found == of.programs.end() || !SameTraits(found->second.traits, traits)) {
    auto skeleton = loaded_->Load(port, frames, name, traits);
    if (!skeleton.ok()) return skeleton.status();
    of.shared_plan = &(*skeleton)->data_plan->tp_port_plan;
    // The replaced program, if there is one, belongs to an earlier policy and does not run.
    found = of.programs.insert_or_assign(name, Loaded::Program{*std::move(skeleton), traits}).first;
  }
  return ProgramOf(found->second.skeleton, name);
}

void XdpGeneration::Write(const CompiledPolicy& policy, const StreamPlaces& places) {
  loaded_->ForEach(policy, [](const bpf_map*, const auto& rows, const auto& array) {
    std::copy(rows.begin(), rows.end(), array.get());
  });
  std::transform(policy.rules.begin(), policy.rules.end(), loaded_->bindings.get(), BindingOf);
  for (size_t port = 0; port < loaded_->ports.size(); port++) {
    Loaded::Port& of = loaded_->ports[port];
    of.plan = PlanOf(policy, port, places);
    if (of.shared_plan != nullptr) *of.shared_plan = of.plan;
  }
  // The system call that attaches a program comes after these writes.
  __atomic_thread_fence(__ATOMIC_RELEASE);
}

void XdpGeneration::SetOrigin(uint64_t now, size_t whens) {
  for (size_t i = 0; i < whens; i++)
    __atomic_store_n(&loaded_->whens.get()[i].origin, now, __ATOMIC_RELAXED);
}

absl::Status XdpGeneration::EnterOutPort(size_t port) const {
  for (const Loaded::Port& from : loaded_->ports) {
    for (const auto& [name, program] : from.programs) {
      absl::Status entered = loaded_->out_ports->Enter(ProgramOf(program.skeleton, name), port);
      if (!entered.ok()) return entered;
    }
  }
  return absl::OkStatus();
}

absl::Status XdpGeneration::Pin(const std::string& folder) const {
  absl::Status status;
  ForEachTableMap(loaded_->tables, [&](const bpf_map* map) {
    if (status.ok()) status = PinMap(map, folder);
  });
  return status;
}

}  // namespace twinpath
