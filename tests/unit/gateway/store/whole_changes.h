#pragma once

#include <string>

#include "tests/unit/gateway/store/sample_state.h"

// Changes of which a state must hold all or nothing.
namespace sekisho::store {

// One revision that brings one device with it: three tables and the record change together.
inline Result<void> one_change(Store& store, unsigned n) {
  const auto active = store.active();
  if (!active) return std::unexpected(active.error());
  const RevisionNumber base = *active ? (*active)->info.number : RevisionNumber();
  const auto number = store.add_pending(revision("devices=" + std::to_string(n), base, 4098 + n));
  if (!number) return std::unexpected(number.error());
  return store.activate(*number, adding(device("device-" + std::to_string(n), n, {})),
                        operation("change " + std::to_string(n)));
}

// How many changes the state holds, having checked that it holds all of each.
inline unsigned whole_changes(Store& store) {
  EXPECT_EQ(must(store.verify_operations()), std::nullopt);
  const auto devices = must(store.devices());
  const auto count = static_cast<unsigned>(devices.size());
  const auto active = must(store.active());
  EXPECT_EQ(active ? text_of(*active) : "devices=0", "devices=" + std::to_string(count));
  unsigned recorded = 0;
  for (const auto& entry : must(store.operations(1'000'000))) {
    if (entry.operation.name.starts_with("change ")) ++recorded;
  }
  EXPECT_EQ(recorded, count);
  EXPECT_GE(must(store.atom_space()).next, count == 0 ? 4096 : 4098 + count);
  return count;
}

}  // namespace sekisho::store
