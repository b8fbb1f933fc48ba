#include "gateway/notice/webhook.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sekisho::notice {

std::string webhook_of(const Message& message, std::span<const Notice> notices) {
  Node::Array all;
  for (const Notice& notice : notices.first(std::min(notices.size(), kMostPosted)))
    all.push_back(to_node(bounded(notice)));
  return write_json({Node::Table{{"version", {std::int64_t{1}}},
                                 {"id", {message.id}},
                                 {"subject", {plain(message.subject)}},
                                 {"text", {message.text}},
                                 {"count", {static_cast<std::int64_t>(notices.size())}},
                                 {"notices", {std::move(all)}}}},
                    true);
}

}  // namespace sekisho::notice
