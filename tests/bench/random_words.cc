// SPDX-License-Identifier: BSD-3-Clause
// Writes the random function's 64-bit words to standard output, endlessly, as input of a
// statistical test suite: random_words stream|draws|queues|rules [SEED]. One thread.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "src/policy/pipeline.h"

namespace {

struct Key {
  __u64 a, b;
};

Key StreamKey(__u64 seed, const std::string& rule_name, __u32 queue) {
  tp_rule rule = {};
  tp_rule_key(seed, tp_name_hash(rule_name.data(), rule_name.size()), &rule.key_a, &rule.key_b);
  Key key;
  tp_stream_key(&rule, tp_name_hash("port0", 5), queue, &key.a, &key.b);
  return key;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string source = argc > 1 ? argv[1] : "";
  const __u64 seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 7;
  std::vector<Key> keys;  // used in turn
  if (source == "stream" || source == "draws") {
    keys.push_back(StreamKey(seed, "default", 0));
  } else if (source == "queues") {
    for (__u32 queue = 0; queue < 64; queue++) keys.push_back(StreamKey(seed, "default", queue));
  } else if (source == "rules") {
    for (int i = 0; i < 1000; i++) keys.push_back(StreamKey(seed, std::to_string(i), 0));
  } else {
    std::fprintf(stderr, "usage: random_words stream|draws|queues|rules [SEED]\n");
    return 2;
  }
  std::vector<__u64> words(8192);
  for (__u64 n = 0;;) {
    for (__u64& word : words) {
      const Key& key = keys[n % keys.size()];
      word = source == "draws" ? tp_draw(key.a, key.b, n) : tp_word(key.a, key.b, n / keys.size());
      n++;
    }
    if (std::fwrite(words.data(), sizeof(__u64), words.size(), stdout) != words.size()) return 0;
  }
}
