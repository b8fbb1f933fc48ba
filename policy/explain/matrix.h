#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "policy/explain/access.h"
#include "policy/explain/evaluate.h"

namespace sekisho {

// Whether one person reaches one resource.
struct MatrixCell {
  PersonId person;
  ResourceId resource;
  enum class Reach {
    closed,
    part,  // some of its addresses or services: a stricter resource covers the others
    open,  // wherever it offers something
  } reach = Reach::closed;
  // None: the person has no device to reach it from.
  std::optional<Reason> reason = {};
  std::optional<GrantId> grant = {};  // that decides
  std::optional<Time> until = {};     // open or part: the first second with less; none: without end
};

// Row by row. Each cell asks evaluate() once for every atom that the resource has a part in, of
// both families, from some device of the person that is active.
std::vector<MatrixCell> matrix(Version version, const std::vector<PersonId>& people,
                               const std::vector<ResourceId>& resources, Time at);

std::string_view to_string(MatrixCell::Reach reach);

}  // namespace sekisho
