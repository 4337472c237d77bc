// SPDX-License-Identifier: BSD-3-Clause
// The run-time half of tests/mutate: every mutant of the tree is compiled in, and the environment
// chooses one. MUTANT=N makes mutant N live; MUTANT_TOUCHED=FILE gets, at exit, a byte for each
// mutant: 1 where the program evaluated its place. Only included by a mutated copy of the tree.

#ifndef TWINPATH_TESTS_MUTANTS_MUTANT_H_
#define TWINPATH_TESTS_MUTANTS_MUTANT_H_

#include <cstdio>
#include <cstdlib>
#include <type_traits>

namespace mutant {

inline constexpr unsigned kMax = 1 << 16;
inline unsigned char touched[kMax];

inline unsigned Chosen() {
  const char* text = std::getenv("MUTANT");
  if (std::getenv("MUTANT_TOUCHED") != nullptr)
    std::atexit([] {
      std::FILE* file = std::fopen(std::getenv("MUTANT_TOUCHED"), "wb");
      if (file == nullptr || std::fwrite(touched, 1, kMax, file) != kMax) std::abort();
      std::fclose(file);
    });
  return text == nullptr ? 0 : static_cast<unsigned>(std::atoi(text));
}
inline const unsigned chosen = Chosen();

// Whether the mutant is live. Not constexpr: else the compiler would compute the value of a const
// variable without asking.
inline bool Live(unsigned number) {
  touched[number] = 1;
  return number == chosen;
}

// A changed literal may have a longer type.
template <typename T, typename U>
inline std::common_type_t<T, U> Value(unsigned number, T original, U changed) {
  return Live(number) ? static_cast<std::common_type_t<T, U>>(changed)
                      : static_cast<std::common_type_t<T, U>>(original);
}

}  // namespace mutant

// Both operands are evaluated once. The types of the results are equal, as those of the operators
// are: comparisons give bool, the others the operands' common type; a shift is a shift.
#define MUTANT_OPERATOR(name, original, changed)                                               \
  template <typename L, typename R>                                                            \
  inline auto mutant_##name(unsigned number, L left, R right)->decltype(left original right) { \
    return mutant::Live(number) ? left changed right : left original right;                    \
  }
MUTANT_OPERATOR(lt, <, <=)
MUTANT_OPERATOR(le, <=, <)
MUTANT_OPERATOR(gt, >, >=)
MUTANT_OPERATOR(ge, >=, >)
MUTANT_OPERATOR(eq, ==, !=)
MUTANT_OPERATOR(ne, !=, ==)
MUTANT_OPERATOR(and, &, |)
MUTANT_OPERATOR(or, |, &)
MUTANT_OPERATOR(xor, ^, |)
MUTANT_OPERATOR(shl, <<, >>)
MUTANT_OPERATOR(shr, >>, <<)
MUTANT_OPERATOR(add, +, -)
MUTANT_OPERATOR(sub, -, +)
MUTANT_OPERATOR(mul, *, +)
MUTANT_OPERATOR(div, /, *)
MUTANT_OPERATOR(rem, %, /)
#undef MUTANT_OPERATOR

// `&&` for `||` and the reverse, by De Morgan, so that the right side is evaluated only where the
// live operator needs it.
#define MUTANT_LOGICAL_AND(number, left, right)                     \
  ([&] {                                                            \
    const bool live = mutant::Live(number);                         \
    return live != ((live != bool(left)) && (live != bool(right))); \
  }())
#define MUTANT_LOGICAL_OR(number, left, right)                      \
  ([&] {                                                            \
    const bool live = mutant::Live(number);                         \
    return live != ((live != bool(left)) || (live != bool(right))); \
  }())

#endif  // TWINPATH_TESTS_MUTANTS_MUTANT_H_
