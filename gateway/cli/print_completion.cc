#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <variant>

#include "gateway/cli/completion.h"
#include "gateway/client/client.h"

namespace sekisho::cli {

namespace {

// Who presses a key waits no longer for a gateway that is slow to answer.
constexpr unsigned kPatienceSeconds = 2;

std::string text_of(const Node& node) {
  if (const auto* text = node.string()) return *text;
  const auto* number = std::get_if<std::int64_t>(&node.value);
  return number != nullptr ? std::to_string(*number) : std::string();
}

void print(const std::string& word, const std::string& help) {
  std::cout << word << '\t' << help << '\n';
}

void print_list(const Completion::List& list, const Completion& completion,
                const std::string& socket) {
  const auto reply =
      client::call(socket, {.operation = list.operation->id, .parameters = {Node::Table{}}});
  if (!reply || reply->array() == nullptr) return;
  for (const Node& row : *reply->array()) {
    if (row.table() == nullptr || row.table()->empty()) continue;
    const std::string word = list.before + text_of(row.table()->front().second);
    const Node* name = row.find("name");
    if (word.starts_with(completion.begun))
      print(word, name != nullptr ? text_of(*name) : std::string());
  }
}

std::string socket_of(const Completion& completion) {
  if (!completion.socket.empty()) return completion.socket;
  const char* set = std::getenv(kSocketVariable);
  return set != nullptr ? set : client::kDefaultSocket;
}

}  // namespace

void print_completion(std::span<const std::string> words) {
  const Completion completion = complete(command_rows(), words);
  if (completion.files) std::cout << ":files\n";
  for (const Candidate& candidate : completion.words) print(candidate.word, candidate.help);
  std::cout.flush();
  std::signal(SIGALRM, [](int) { _exit(0); });
  alarm(kPatienceSeconds);
  for (const auto& list : completion.lists) print_list(list, completion, socket_of(completion));
}

}  // namespace sekisho::cli
