#include "gateway/notice/delivery.h"

#include <algorithm>
#include <utility>

#include "gateway/notice/notice.h"
#include "policy/base/text.h"
#include "policy/model/node.h"

namespace sekisho::notice {

namespace {

constexpr std::size_t kMostErrorBytes = 500;
constexpr std::size_t kMostNameBytes = 100;

Node count(std::uint64_t value) {
  return {static_cast<std::int64_t>(value)};
}
Node time_or_nothing(const std::optional<Time>& time) {
  return time ? Node{to_string(*time)} : Node{};
}

// Members of an object that are of the right type; `good` says whether all were.
struct Members {
  const Node& node;
  bool good = true;

  std::string text(std::string_view key, std::size_t most) {
    const Node* found = node.find(key);
    const std::string* value = found != nullptr ? found->string() : nullptr;
    if (value != nullptr && value->size() <= most && is_plain_text(*value)) return *value;
    good = false;
    return {};
  }
  std::uint64_t number(std::string_view key) {
    const Node* found = node.find(key);
    const auto* value = found != nullptr ? std::get_if<std::int64_t>(&found->value) : nullptr;
    if (value != nullptr && *value >= 0) return static_cast<std::uint64_t>(*value);
    good = false;
    return 0;
  }
  std::optional<Time> time(std::string_view key) {
    const Node* found = node.find(key);
    if (found == nullptr || std::holds_alternative<std::monostate>(found->value))
      return std::nullopt;
    const std::string* value = found->string();
    const auto time = parse_time(value != nullptr ? *value : std::string());
    good &= time.has_value();
    return time ? std::optional(*time) : std::nullopt;
  }
};

}  // namespace

std::string write_report(const Report& report) {
  Node::Array channels;
  for (const ChannelReport& each : report.channels) {
    channels.push_back({Node::Table{{"name", {plain(each.name, kMostNameBytes)}},
                                    {"delivered", count(each.delivered)},
                                    {"failed", count(each.failed)},
                                    {"last_delivery", time_or_nothing(each.last_delivery)},
                                    {"last_error", {plain(each.last_error, kMostErrorBytes)}},
                                    {"last_error_time", time_or_nothing(each.last_error_time)}}});
  }
  return write_json({Node::Table{{"channels", {std::move(channels)}},
                                 {"bad", count(report.bad)},
                                 {"trouble", {plain(report.trouble, kMostErrorBytes)}}}});
}

Result<Report> read_report(std::string_view text, std::string_view file) {
  const auto refused = [&] {
    return std::unexpected(Error{ErrorCode::invalid, "status", "is not what sekisho-notify writes",
                                 std::string(file),
                                 "restart sekisho-notify, which writes it anew"});
  };
  if (text.size() > kMostReportBytes) return refused();
  const auto root = read_json(text, file);
  if (!root) return std::unexpected(root.error());
  const Node* channels = root->find("channels");
  if (channels == nullptr || channels->array() == nullptr ||
      channels->array()->size() > kMostChannels)
    return refused();
  Members all{*root};
  Report report{
      .channels = {}, .bad = all.number("bad"), .trouble = all.text("trouble", kMostErrorBytes)};
  bool good = all.good;
  for (const Node& node : *channels->array()) {
    Members each{node};
    report.channels.push_back({.name = each.text("name", kMostNameBytes),
                               .delivered = each.number("delivered"),
                               .failed = each.number("failed"),
                               .last_delivery = each.time("last_delivery"),
                               .last_error = each.text("last_error", kMostErrorBytes),
                               .last_error_time = each.time("last_error_time")});
    good &= each.good;
  }
  if (!good) return refused();
  return report;
}

std::uint64_t delivered(const Report& report) {
  std::uint64_t sum = 0;
  for (const ChannelReport& each : report.channels) sum += each.delivered;
  return sum;
}

std::uint64_t failed(const Report& report) {
  std::uint64_t sum = 0;
  for (const ChannelReport& each : report.channels) sum += each.failed;
  return sum;
}

std::optional<Time> last_delivery(const Report& report) {
  std::optional<Time> last;
  for (const ChannelReport& each : report.channels) {
    if (!last || (each.last_delivery && *each.last_delivery > *last)) last = each.last_delivery;
  }
  return last;
}

std::string last_errors(const Report& report) {
  std::string text;
  for (const ChannelReport& each : report.channels) {
    if (!each.last_error.empty())
      text += (text.empty() ? "" : "; ") + each.name + ": " + each.last_error;
  }
  return text;
}

}  // namespace sekisho::notice
