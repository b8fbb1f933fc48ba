#pragma once

#include <map>
#include <string>
#include <vector>

#include "gateway/control/message.h"

namespace sekisho::cli {

// What was typed for one parameter: one text, several, or none for a flag.
using Typed = std::map<std::string, std::vector<std::string>, std::less<>>;

// The contents of a document; "-" is standard input. Larger ones than are read anywhere are
// refused.
Result<std::string> read_document_file(const std::string& path);
// What messages call it.
std::string document_name(const std::string& path);
// The syntax that was typed or that the file's name says: "json" for ".json", else "toml".
std::string syntax_of(const Typed& typed);

// Turns typed words into a request: reads documents from their files ("-": standard input), splits
// services from their reasons, makes numbers of numbers. The syntax of a document follows its
// file's name (".json") unless it was given.
Checked<control::Request> make_request(const control::Operation& operation, const Typed& typed);

}  // namespace sekisho::cli
