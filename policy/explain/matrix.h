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
    part,  // some of its addresses or services: stricter resources cover the others
    open,  // wherever it offers something
  } reach = Reach::closed;
  // None: the person has no active device that could send there.
  std::optional<Reason> reason = {};
  std::optional<GrantId> grant = {};  // that opens it, or that is nearest to it
  std::optional<Time> until = {};     // open or part: the first second with less; none: without end
};

// Row by row. `people` and `resources` are of the policy; `internet` is one too.
std::vector<MatrixCell> matrix(Version version, const std::vector<PersonId>& people,
                               const std::vector<ResourceId>& resources, Time at);

std::string_view to_string(MatrixCell::Reach reach);

}  // namespace sekisho
