// SPDX-License-Identifier: BSD-3-Clause
// Every shape of frame that the parser distinguishes: all combinations of link, network and
// transport headers, and all kinds of wrong lengths. Addresses, ports, tags and MAC addresses are
// drawn from the small universe of random policies (policies.h). Always the same frames. For tests;
// any thread.

#ifndef TWINPATH_TESTS_PARITY_SHAPES_H_
#define TWINPATH_TESTS_PARITY_SHAPES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace twinpath {

struct Shape {
  std::string name;
  std::vector<uint8_t> frame;
};

// More than 3,000 frames of 14 to some 1,100 bytes, no two alike.
std::vector<Shape> AllShapes();

}  // namespace twinpath

#endif  // TWINPATH_TESTS_PARITY_SHAPES_H_
