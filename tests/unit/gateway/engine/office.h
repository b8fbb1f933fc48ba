#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "world.h"

namespace sekisho::engine {

inline Node text(std::string_view value) {
  return {std::string(value)};
}
inline Node texts(std::vector<std::string> values) {
  Node::Array items;
  for (std::string& value : values) items.push_back({std::move(value)});
  return {std::move(items)};
}
inline IpAddress ip(std::string_view value) {
  return *IpAddress::parse(value);
}

inline constexpr std::string_view kKeyA = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=";
inline constexpr std::string_view kKeyB = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI=";
inline const IpAddress kLaptop = ip("10.66.0.2");
inline const IpAddress kPhone = ip("10.66.0.3");
inline const IpAddress kWiki = ip("198.51.100.10");
inline const IpAddress kWeb = ip("203.0.113.5");

// Two people with a device each; tanaka may reach the internet, suzuki the wiki.
class EngineTest : public testing::Test {
 protected:
  EngineTest() : world(test_network()) {
    world.tell(Started{});
    must("role.add", {{"id", text("sales")}});
    must("person.add", {{"id", text("tanaka")}, {"roles", texts({"sales"})}});
    must("person.add", {{"id", text("suzuki")}});
    must("device.add",
         {{"id", text("laptop")}, {"person", text("tanaka")}, {"public_key", text(kKeyA)}});
    must("device.add",
         {{"id", text("phone")}, {"person", text("suzuki")}, {"public_key", text(kKeyB)}});
    must("resource.add", {{"id", text("wiki")},
                          {"classification", text("internal")},
                          {"prefixes", texts({"198.51.100.0/28"})},
                          {"services", texts({"https"})}});
    must("grant.add", {{"id", text("web")},
                       {"who", text("role:sales")},
                       {"resource", text("internet")},
                       {"reason", text("work")}});
    must("grant.add", {{"id", text("wiki")},
                       {"who", text("person:suzuki")},
                       {"resource", text("wiki")},
                       {"reason", text("work")}});
    world.trace.clear();
    world.record.clear();
  }

  Node must(std::string_view operation, Node::Table parameters) {
    auto reply = world.ask(operation, std::move(parameters));
    EXPECT_TRUE(reply.has_value()) << operation << ": " << to_string(reply.error().front());
    return reply.value_or(Node{});
  }
  ErrorCode refused(std::string_view operation, Node::Table parameters) {
    auto reply = world.ask(operation, std::move(parameters));
    EXPECT_FALSE(reply.has_value()) << operation;
    return reply ? ErrorCode::failed : reply.error().front().code;
  }
  bool https(const IpAddress& from, const IpAddress& to) {
    return world.passes(from, to, Protocol::tcp, Port(443));
  }

  World world;
};

}  // namespace sekisho::engine
