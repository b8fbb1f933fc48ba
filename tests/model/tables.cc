#include "tests/model/tables.h"

#include <gtest/gtest.h>

namespace sekisho::model {
namespace {

template <class Map, class Entries>
void change(Map& map, const Entries& removed, const Entries& added) {
  for (const auto& [key, value] : removed) {
    ASSERT_TRUE(map.contains(key));
    ASSERT_EQ(map.at(key), value);
    map.erase(key);
  }
  for (const auto& entry : added) ASSERT_TRUE(map.insert(entry).second);
}

}  // namespace

Tables applied(Tables tables, const TablesDiff& diff) {
  if (diff.empties_cohorts) tables.cohorts.clear();
  change(tables.cohorts, diff.remove_cohorts, diff.add_cohorts);
  change(tables.atoms, diff.remove_atoms, diff.add_atoms);
  change(tables.grants, diff.remove_grants, diff.add_grants);
  return tables;
}

}  // namespace sekisho::model
