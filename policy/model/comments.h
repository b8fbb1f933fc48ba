#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policy/model/node.h"

// The comments of a TOML text, which no Node holds: what they stand by, and how they get from there
// to the same things in another tree. Inside policy/model only.
namespace sekisho {

// Lines begin with "#" and have no indentation; among those of a table and of the document an empty
// one parts two blocks.
struct Comment {
  std::vector<std::string> before;  // above it; of the document: at the head of the text
  std::string beside;               // at the end of its line
  std::vector<std::string> after;   // below the last that is in it: a table, a list, the document
};
using Comments = std::map<const Node*, Comment>;

// `root` is what read_toml() made of `text`.
Comments read_comments(std::string_view text, const Node& root);

// What stood by the things of `source`, by the same things of `canonical`, which is encode() of
// what `source` means. Where one has no line of its own there, or is not there at all, its comments
// go to what is around it: not one is lost.
Comments carry_comments(Comments comments, const Node& source, const Node& canonical);

// write_toml(root), with comments.
std::string write_toml(const Node& root, const Comments& comments);

}  // namespace sekisho
