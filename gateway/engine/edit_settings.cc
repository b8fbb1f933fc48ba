#include <string>
#include <utility>

#include "gateway/engine/edit.h"
#include "gateway/engine/overlay.h"
#include "policy/model/document.h"

namespace sekisho::engine {

namespace {

using control::Request;

template <class Settings>
std::string as_toml(const std::string& name, const Settings& settings) {
  return write_toml({Node::Table{{name, encode(settings)}}});
}

template <class Settings>
Checked<Edit> edit_one(const std::string& name, const Settings& now,
                       std::optional<Settings> PolicyEdit::* changed,
                       Checked<Settings> (*decode)(const Node&, std::string_view),
                       const Request& request) {
  auto settings = decode(with_parameters(encode(now), request, false), name);
  if (!settings) {
    // The positions are those of the request's JSON, which nobody wrote by hand.
    for (Error& error : settings.error()) error.place.clear();
    return std::unexpected(std::move(settings.error()));
  }
  Edit edit{.change = {}, .object = name, .reason = text_parameter(request, "reason")};
  edit.before = as_toml(name, now);
  edit.after = as_toml(name, *settings);
  edit.change.*changed = *std::move(settings);
  return edit;
}

}  // namespace

Checked<Edit> edit_settings(const Policy& policy, const Request& request) {
  if (request.operation == control::OperationId::quota_set)
    return edit_one("quota", policy.quota, &PolicyEdit::quota, decode_quota, request);
  return edit_one("response", policy.response, &PolicyEdit::response, decode_response, request);
}

}  // namespace sekisho::engine
