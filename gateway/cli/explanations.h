#pragma once

#include <string>

#include "gateway/control/message.h"

// What a policy means, for a person to read: the results of policy diff, explain, matrix, review.
namespace sekisho::cli {

std::string changes_of(const Node& result);
std::string explanation_of(const Node& result);
// People by resources; with the reasons where one person or one resource was asked for.
std::string matrix_of(const Node::Array& cells);
// Nothing where there is nothing to note.
std::string notes_of(const Node::Array& findings);

}  // namespace sekisho::cli
