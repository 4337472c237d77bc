// SPDX-License-Identifier: BSD-3-Clause
// Requests that "reflect-echo" answers, and some that look like them. For tests; any thread.

#ifndef TWINPATH_TESTS_PARITY_REQUESTS_H_
#define TWINPATH_TESTS_PARITY_REQUESTS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace twinpath {

struct Request {
  std::string name;
  uint16_t ether_type;
  std::vector<uint8_t> bytes;  // behind the EtherType
};

std::vector<Request> AllRequests();

}  // namespace twinpath

#endif  // TWINPATH_TESTS_PARITY_REQUESTS_H_
