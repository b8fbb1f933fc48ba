#pragma once

#include <span>
#include <string>
#include <vector>

#include "gateway/cli/command_rows.h"

namespace sekisho::cli {

struct Candidate {
  std::string word;
  std::string help;
};

// Pure, from the table of commands: what may stand in the place of the last of `words`, which begin
// behind the program's name. The last may be empty or begun.
struct Completion {
  // Values that only the gateway knows: the lists that have them, and what stands before each.
  struct List {
    std::string before;
    const control::Operation* operation;
  };

  std::vector<Candidate> words;  // all begin with what the last word is
  std::vector<List> lists;
  bool files = false;  // a file's name
  std::string begun;   // the last word
  std::string socket;  // where --socket was given
};
Completion complete(std::span<const CommandRow> rows, std::span<const std::string> words);

// Prints what complete() finds, one a line, a tab and its help behind it; the gateway's lists as
// far as it answers soon. ":files" stands for the names of files. Never says why there is nothing.
void print_completion(std::span<const std::string> words);

// `completion bash|zsh|fish`: a script that asks the program itself, by kCompleteWord, what may
// stand where the cursor is. So it knows every command there is, and need not be made anew.
inline constexpr const char* kCompleteWord = "__complete";
control::Reply completion_script(const Typed& typed);

}  // namespace sekisho::cli
