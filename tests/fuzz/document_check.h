#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "policy/base/text.h"
#include "policy/model/document.h"
#include "policy/model/format.h"
#include "policy/model/validate.h"

namespace sekisho {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void check_messages(const Errors& errors) {
  require(!errors.empty());
  for (const Error& error : errors) require(is_plain_text(to_string(error)));
}

// Reads, decodes, validates and writes; what was written reads back equal, in both syntaxes.
inline void check_document(std::string_view text, Syntax syntax) {
  const auto document = read_document(text, syntax, "f");
  if (!document) return check_messages({document.error()});
  // Whatever was read can be written as JSON, and that is a fixed point.
  const std::string json = write_json(*document);
  const auto again = read_json(json, "f");
  require(again && write_json(*again) == json);

  const auto policy = decode(*document, "f");
  if (!policy) return check_messages(policy.error());
  for (const Syntax other : {Syntax::toml, Syntax::json}) {
    const std::string written = write_policy(*policy, other);
    const auto back = read_policy(written, other, "f");
    require(back && *back == *policy && write_policy(*back, other) == written);
  }

  const auto formatted = format_policy(text, syntax, "f");
  require(formatted && read_policy(*formatted, syntax, "f") == *policy);
  require(format_policy(*formatted, syntax, "f") == *formatted);

  // Zones whose clocks never differ from UTC.
  const TimeZones zones{{"Asia/Tokyo", {}}, {"Europe/Berlin", {}}, {"UTC", {}}};
  auto valid = validate(
      *policy,
      {.pools = {Prefix::parse("10.66.0.0/16").value(), Prefix::parse("fd66::/64").value()}},
      zones);
  if (valid) return require(valid->policy() == *policy);
  locate(valid.error(), *document, "f");
  check_messages(valid.error());
}

}  // namespace sekisho
