#pragma once

#include <vector>

#include "gateway/daemon/box.h"
#include "gateway/daemon/config.h"
#include "gateway/engine/command.h"
#include "gateway/store/store.h"

namespace sekisho::daemon {

// What doctor says: each thing that must be right, whether it is, and what mends it. Reads only.
std::vector<engine::Finding> examine(const Config& config, Box& box, store::Store& store,
                                     const engine::Desired& desired, Time now);

}  // namespace sekisho::daemon
