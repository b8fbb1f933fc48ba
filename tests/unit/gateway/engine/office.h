#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/model/document.h"
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

  // The policy in force, changed and applied as a document.
  Policy policy() const {
    return read_policy(world.revisions.at(world.active).document, Syntax::toml, "now").value();
  }
  void edit_policy(const std::function<void(Policy&)>& edit) {
    Policy edited = policy();
    edit(edited);
    must("policy.apply", {{"document", text(write_policy(edited, Syntax::toml))}});
    world.trace.clear();
    world.record.clear();
  }
  void pass(Time::duration time) {
    world.now += time;
    const auto due = world.engine.next_deadline();
    if (due && *due <= world.now) world.tell(Woke{});
  }
  Node add_quarantine(std::string_view target, std::string_view level = "isolate") {
    Node::Table parameters{{"target", text(target)}, {"reason", text("it was lost")}};
    if (!target.starts_with("resource:")) parameters.emplace_back("level", text(level));
    return must("quarantine.add", std::move(parameters));
  }
  Node release(std::string_view target) {
    return must("quarantine.release",
                {{"target", text(target)}, {"reason", text("clean")}, {"finding", text("none")}});
  }

  World world;
};

inline std::string word(const Node& node, std::string_view member) {
  const Node* found = node.find(member);
  const std::string* value = found == nullptr ? nullptr : found->string();
  return value == nullptr ? "(none)" : *value;
}
inline bool yes(const Node& node, std::string_view member) {
  const Node* found = node.find(member);
  return found != nullptr && std::get<bool>(found->value);
}
inline std::int64_t count(const Node& node, std::string_view member) {
  return std::get<std::int64_t>(node.find(member)->value);
}

}  // namespace sekisho::engine
