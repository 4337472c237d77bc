// SPDX-License-Identifier: BSD-3-Clause
// Allocates the flow table. Control thread, at set-up or in a reload.

#include "src/dpdk/eal/flow_table.h"

#include <utility>

namespace twinpath {

absl::StatusOr<FlowTable> FlowTable::Create(const FlowTableShape& shape, int node, bool alone) {
  FlowTable made;
  auto buckets = EmptyInEal<tp_flow_bucket>(shape.buckets(), "the table of flows", node);
  if (!buckets.ok()) return buckets.status();
  auto regions = EmptyInEal<tp_padded_region>(shape.regions, "the flows' locks", node);
  if (!regions.ok()) return regions.status();
  auto table = EmptyInEal<tp_flow_table>(1, "the table of flows", node);
  if (!table.ok()) return table.status();
  made.buckets_ = *std::move(buckets);
  made.regions_ = *std::move(regions);
  made.table_ = *std::move(table);
  made.table_[0] = {.buckets = made.buckets_.get(),
                    .regions = made.regions_.get(),
                    .size = {.regions = shape.regions, .region_buckets = shape.region_buckets},
                    .one_thread = alone};
  return made;
}

}  // namespace twinpath
