#pragma once

#include <string>
#include <string_view>

#include "policy/base/result.h"
#include "policy/model/node.h"
#include "policy/model/policy.h"

namespace sekisho {

// People and devices that a document lists without a `state` are active, people without a `kind`
// are employees; encode() always writes both.
// A date stands for its first second, UTC.
enum class Syntax { toml, json };

// Gives a document its meaning. Reports every mistake at once (the first kMaxMistakes of them),
// sorted by place, each with file, line, column, path ("grant.sales-wiki.resource"), cause and what
// to do. What it checks: keys known and of the right type, ids, texts (no control characters, at
// most 200 bytes), addresses, ports, keys, times. What needs the whole policy is validate()'s.
Checked<Policy> decode(const Node& document, std::string_view file);
// The canonical document: decode(encode(p)) == p, and equal policies give equal documents.
Node encode(const Policy& policy);

Result<Node> read_document(std::string_view text, Syntax syntax, std::string_view file);
// What no syntax allows, which read_document() refuses too: too many bytes, NUL, broken UTF-8.
Result<void> check_text(std::string_view text, std::string_view file);
Checked<Policy> read_policy(std::string_view text, Syntax syntax, std::string_view file);
std::string write_policy(const Policy& policy, Syntax syntax);

// One object at a time, for edits: `path` ("person.tanaka") begins the paths in errors.
Checked<Person> decode_person(const Node& fields, std::string_view path);
Checked<Device> decode_device(const Node& fields, std::string_view path);
Checked<Role> decode_role(const Node& fields, std::string_view path);
Checked<Resource> decode_resource(const Node& fields, std::string_view path);
Checked<Grant> decode_grant(const Node& fields, std::string_view path);
Checked<Quota> decode_quota(const Node& fields, std::string_view path);
Checked<Response> decode_response(const Node& fields, std::string_view path);
Node encode(const Person& person);
Node encode(const Device& device);
Node encode(const Role& role);
Node encode(const Resource& resource);
Node encode(const Grant& grant);
Node encode(const Quota& quota);
Node encode(const Response& response);

// Fills in the `place` of errors whose `object` is a path into `document` and sorts them by it:
// where the value stands or, where it does not, what is around it.
void locate(Errors& errors, const Node& document, std::string_view file);

}  // namespace sekisho
