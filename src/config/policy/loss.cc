// SPDX-License-Identifier: BSD-3-Clause
// Reads the "loss" of a rule: its model's keys, then its scope. Control thread, at set-up.

#include "src/config/policy/loss.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/config/json/mistakes.h"
#include "src/config/json/values.h"

namespace twinpath {
namespace {

using Kind = JsonValue::Kind;
using Model = LossSpec::Model;
using Scope = LossSpec::Scope;

constexpr uint64_t kMaxPeriod = uint64_t{1} << 32;
constexpr uint64_t kMaxPacket = uint64_t{1} << 48;
constexpr size_t kMaxRanges = 65'536;

// A model's word, and its own keys.
struct ModelKeys {
  const char* name;
  Model model;
  std::vector<std::string_view> keys;
};

const std::vector<ModelKeys>& Models() {
  static const auto& models = *new std::vector<ModelKeys>{
      {"random", Model::kRandom, {"rate"}},
      {"correlated", Model::kCorrelated, {"rate", "correlation"}},
      {"gilbert_elliott", Model::kGilbertElliott, {"p", "r", "loss_bad", "loss_good"}},
      {"four_state", Model::kFourState, {"p13", "p31", "p32", "p23", "p14"}},
      {"periodic", Model::kPeriodic, {"every", "offset", "burst"}},
      {"sequence", Model::kSequence, {"packets", "repeat"}},
  };
  return models;
}

const ModelKeys* FindModel(const JsonCursor& c) {
  if (!c.Is(Kind::kString)) return nullptr;
  const std::vector<ModelKeys>& models = Models();
  auto it = std::find_if(models.begin(), models.end(),
                         [&](const ModelKeys& m) { return m.name == c.value().text; });
  return it == models.end() ? nullptr : &*it;
}

std::vector<std::string_view> ModelNames() {
  std::vector<std::string_view> names;
  for (const ModelKeys& model : Models()) names.emplace_back(model.name);
  return names;
}

// "random", ..., "periodic" or "sequence"
std::string AllowedModels() {
  std::string allowed;
  for (const ModelKeys& model : Models()) {
    const bool last = &model == &Models().back();
    absl::StrAppend(&allowed, allowed.empty() ? "" : last ? " or " : ", ", Quote(model.name));
  }
  return allowed;
}

// Reads probabilities, and collects all errors.
class Parameters {
 public:
  Parameters(const JsonCursor& loss, LossSpec* spec) : loss_(loss), spec_(spec) {}

  // Appends the member `key`, or `otherwise` if the member is absent.
  Probability Read(std::string_view key, const Probability* otherwise = nullptr) {
    JsonCursor member = loss_.Member(key);
    if (!member.present() && otherwise) {
      spec_->parameters.push_back(*otherwise);
      return *otherwise;
    }
    absl::StatusOr<Probability> probability = ReadProbability(member);
    if (!probability.ok()) {
      mistakes_.Add(probability.status());
      return {};
    }
    spec_->parameters.push_back(*probability);
    return *probability;
  }
  Probability Read(std::string_view key, const Probability& otherwise) {
    return Read(key, &otherwise);
  }

  // Adds an error if the sum of `a` and `b` is above 1. `key` is the key of `b`.
  void CheckSum(std::string_view key, const std::string& sum, const Probability& a,
                const Probability& b) {
    if (!mistakes_.none() || a.never || b.never) return;
    const uint64_t together = a.threshold + b.threshold;  // modulo 2^64
    // Both are rounded to multiples of 2^-64, so a third and two thirds may exceed 1 by 2^-64.
    const bool above = a.always || b.always || (together < a.threshold && together > 1);
    if (!above) return;
    mistakes_.Add(loss_.Member(key).Error(
        absl::StrCat(sum, " = ", a.text, " + ", b.text, ", which is above 1"),
        "probabilities of leaving a state that sum to at most 1"));
  }

  absl::Status status() const { return mistakes_.status(); }

 private:
  const JsonCursor& loss_;
  LossSpec* spec_;
  Mistakes mistakes_;
};

absl::Status ReadCorrelated(const JsonCursor& loss, LossSpec* spec) {
  Parameters parameters(loss, spec);
  const Probability rate = parameters.Read("rate");
  const Probability correlation = parameters.Read("correlation");
  if (parameters.status().ok() && correlation.always && !rate.never && !rate.always) {
    return loss.Member("correlation")
        .Error("1, with which the first packet of a stream decides for all others",
               "less than 1, or a rate of 0 or 1");
  }
  return parameters.status();
}

absl::Status ReadGilbertElliott(const JsonCursor& loss, LossSpec* spec) {
  Parameters parameters(loss, spec);
  const Probability p = parameters.Read("p");
  parameters.Read("r", Complement(p));
  parameters.Read("loss_bad", Complement(Probability()));
  parameters.Read("loss_good", Probability());
  return parameters.status();
}

absl::Status ReadFourState(const JsonCursor& loss, LossSpec* spec) {
  Parameters parameters(loss, spec);
  const Probability p13 = parameters.Read("p13");
  const Probability p31 = parameters.Read("p31", Complement(p13));
  const Probability p32 = parameters.Read("p32", Probability());
  parameters.CheckSum("p32", "p31 + p32", p31, p32);
  parameters.Read("p23", Complement(Probability()));
  const Probability p14 = parameters.Read("p14", Probability());
  parameters.CheckSum("p14", "p13 + p14", p13, p14);
  return parameters.status();
}

// Reads the member into *value if it is present.
absl::Status ReadOptional(const JsonCursor& loss, std::string_view key, uint64_t min, uint64_t max,
                          uint64_t* value) {
  JsonCursor member = loss.Member(key);
  if (!member.present()) return absl::OkStatus();
  absl::StatusOr<uint64_t> number = member.Unsigned(min, max);
  if (number.ok()) *value = *number;
  return number.status();
}

absl::Status ReadPeriodic(const JsonCursor& loss, LossSpec* spec) {
  absl::StatusOr<uint64_t> every = loss.Member("every").Unsigned(1, kMaxPeriod);
  if (!every.ok()) return every.status();
  spec->every = *every;
  absl::Status status = ReadOptional(loss, "offset", 0, kMaxPeriod - 1, &spec->offset);
  if (status.ok()) status = ReadOptional(loss, "burst", 1, spec->every, &spec->burst);
  return status;
}

// Sorts the ranges, and joins those that overlap or touch.
void Normalize(std::vector<PacketRange>* ranges) {
  std::sort(ranges->begin(), ranges->end(),
            [](const PacketRange& a, const PacketRange& b) { return a.first < b.first; });
  size_t kept = 0;
  for (const PacketRange& range : *ranges) {
    if (kept && range.first <= (*ranges)[kept - 1].last + 1) {
      (*ranges)[kept - 1].last = std::max((*ranges)[kept - 1].last, range.last);
    } else {
      (*ranges)[kept++] = range;
    }
  }
  ranges->resize(kept);
}

absl::Status ReadSequence(const JsonCursor& loss, LossSpec* spec) {
  const std::string item_allowed =
      absl::StrCat("a packet's number from 0 to ", kMaxPacket, ", or a range such as \"10-19\"");
  JsonCursor packets = loss.Member("packets");
  if (!packets.Is(Kind::kArray) || packets.size() == 0) {
    return packets.Wrong("an array of packets' numbers and ranges, such as [3, \"10-19\"]");
  }
  for (size_t i = 0; i < packets.size(); i++) {
    absl::StatusOr<NumberRange> range = ReadRange(packets.Item(i), kMaxPacket, item_allowed);
    if (!range.ok()) return range.status();
    spec->packets.push_back({range->first, range->last});
  }
  Normalize(&spec->packets);
  if (spec->packets.size() > kMaxRanges) {
    return packets.Error(
        absl::StrCat(spec->packets.size(), " ranges after joining those that touch"),
        absl::StrCat("at most ", kMaxRanges));
  }
  // "repeat" must be above the largest number, which would never occur otherwise.
  return ReadOptional(loss, "repeat", spec->packets.back().last + 1, 2 * kMaxPacket, &spec->repeat);
}

absl::Status ReadModel(const JsonCursor& loss, LossSpec* spec) {
  switch (spec->model) {
    case Model::kNone:
      return absl::OkStatus();
    case Model::kRandom: {
      Parameters parameters(loss, spec);
      parameters.Read("rate");
      return parameters.status();
    }
    case Model::kCorrelated:
      return ReadCorrelated(loss, spec);
    case Model::kGilbertElliott:
      return ReadGilbertElliott(loss, spec);
    case Model::kFourState:
      return ReadFourState(loss, spec);
    case Model::kPeriodic:
      return ReadPeriodic(loss, spec);
    case Model::kSequence:
      return ReadSequence(loss, spec);
  }
  return absl::OkStatus();
}

// The scope: which packets form one stream.
absl::Status ReadScope(const JsonCursor& loss, LossSpec* spec) {
  JsonCursor scope = loss.Member("scope");
  if (scope.present()) {
    std::string_view word = scope.Is(Kind::kString) ? scope.value().text : std::string_view();
    for (Scope s : {Scope::kQueue, Scope::kFlow, Scope::kPacket}) {
      if (word == LossScopeName(s)) spec->scope = s;
    }
    if (word != LossScopeName(spec->scope))
      return scope.WrongWord("\"queue\", \"flow\" or \"packet\"", {"queue", "flow", "packet"});
    if (spec->scope == Scope::kPacket && spec->model != Model::kRandom) {
      return scope.Error(absl::StrCat("\"packet\" with the model ", LossModelName(spec->model),
                                      ", which needs the state of a stream"),
                         "\"queue\" or \"flow\", or the model random: scope packet keeps no state");
    }
  }
  JsonCursor flow = loss.Member("flow");
  if (!flow.present()) return absl::OkStatus();
  std::string_view word = flow.Is(Kind::kString) ? flow.value().text : std::string_view();
  if (word != "bidirectional" && word != "unidirectional") {
    return flow.Wrong("\"unidirectional\" or \"bidirectional\"");
  }
  if (spec->scope != Scope::kFlow) {
    return flow.Error(absl::StrCat(Quote(word), " with scope ", LossScopeName(spec->scope)),
                      "only with scope flow");
  }
  spec->bidirectional = word == "bidirectional";
  return absl::OkStatus();
}

}  // namespace

const char* LossModelName(Model model) {
  for (const ModelKeys& known : Models())
    if (known.model == model) return known.name;
  return "none";
}

const char* LossScopeName(Scope scope) {
  return scope == Scope::kQueue ? "queue" : scope == Scope::kFlow ? "flow" : "packet";
}

absl::StatusOr<LossSpec> ParseLoss(const JsonCursor& loss) {
  LossSpec spec;
  if (!loss.present()) return spec;
  if (!loss.Is(Kind::kObject)) return loss.Wrong("an object with the key model, and the model's");
  JsonCursor model = loss.Member("model");  // first: the other keys depend on it
  const ModelKeys* known = FindModel(model);
  if (!known) return model.WrongWord(AllowedModels(), ModelNames());
  spec.model = known->model;
  std::vector<std::string_view> keys = {"model"};
  keys.insert(keys.end(), known->keys.begin(), known->keys.end());
  for (const char* key : {"scope", "flow", "ecn_mark"}) keys.push_back(key);
  Mistakes mistakes;
  mistakes.Add(loss.CheckKeys(keys));
  mistakes.Add(ReadModel(loss, &spec));
  mistakes.Add(ReadScope(loss, &spec));
  if (JsonCursor mark = loss.Member("ecn_mark"); mark.present()) {
    absl::StatusOr<bool> value = mark.Bool();
    mistakes.Add(value.status());
    if (value.ok()) spec.ecn_mark = *value;
  }
  if (!mistakes.none()) return mistakes.status();
  return spec;
}

}  // namespace twinpath
