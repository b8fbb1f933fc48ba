#include "policy/base/ports.h"

#include <charconv>
#include <optional>

#include "policy/base/text.h"

namespace sekisho {
namespace {

std::optional<Port> parse_port(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '0') {
    return std::nullopt;
  }
  return Port(value);
}

}  // namespace

Result<PortRange> PortRange::parse(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last) {
    return fail(ErrorCode::invalid, "port", quote(text) + " is not a port or a range of ports",
                "write 443 or 8000-8010, from 1 to 65535");
  }
  if (*last < *first) {
    return fail(ErrorCode::invalid, "port", quote(text) + " ends before it begins",
                "write the smaller port first");
  }
  return PortRange{*first, *last};
}

std::string PortRange::to_string() const {
  const std::string text = std::to_string(first.value());
  return first == last ? text : text + "-" + std::to_string(last.value());
}

}  // namespace sekisho
