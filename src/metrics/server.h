// SPDX-License-Identifier: BSD-3-Clause
// Serves the metrics of a running path by HTTP, for Prometheus. Owns a listening socket and the
// threads of prometheus-cpp's exposer. The threads touch the datapath only through the snapshot
// function.

#ifndef TWINPATH_METRICS_SERVER_H_
#define TWINPATH_METRICS_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "src/telemetry/snapshot.h"

namespace twinpath {

// What is wrong with `address` as a place to serve metrics; empty: nothing. Allowed are
// IPV4:PORT, and PORT alone, which means 127.0.0.1. Port 0 lets the kernel choose.
std::string WrongMetricsAddress(const std::string& address);

class MetricsServer {
 public:
  // Serves /metrics at `address` until destroyed. `snapshot` is called once for each request, by
  // several threads. The threads run on the CPUs of the caller. InvalidArgument as
  // WrongMetricsAddress; FailedPrecondition if nobody can listen there. Errors begin with
  // "--metrics: ".
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(const std::string& address,
                                                              std::function<Snapshot()> snapshot);

  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  // Closes every connection and joins the threads.
  ~MetricsServer();

  // "http://127.0.0.1:9464/metrics"
  const std::string& url() const { return url_; }

 private:
  class Exposed;
  MetricsServer(std::unique_ptr<Exposed> exposed, std::string url);
  std::unique_ptr<Exposed> exposed_;
  std::string url_;
};

}  // namespace twinpath

#endif  // TWINPATH_METRICS_SERVER_H_
