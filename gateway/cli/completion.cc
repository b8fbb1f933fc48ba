#include "gateway/cli/completion.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace sekisho::cli {

namespace {

using control::Parameter;
using control::ParameterKind;

// "-q,--quiet" is either.
bool is_called(const Parameter& parameter, std::string_view word) {
  const std::string_view option = parameter.option;
  const auto comma = option.find(',');
  return word == option || (comma != std::string_view::npos &&
                            (word == option.substr(0, comma) || word == option.substr(comma + 1)));
}

std::string_view long_name(const Parameter& parameter) {
  return parameter.option.substr(parameter.option.find(',') + 1);
}

bool may_repeat(const Parameter& parameter) {
  return parameter.kind == ParameterKind::list || parameter.kind == ParameterKind::services;
}

// Reads the words before the last, then offers what may follow.
class Reader {
 public:
  explicit Reader(std::span<const CommandRow> rows) : rows_(rows) {}

  Completion read(std::span<const std::string> words) {
    if (words.empty()) return {};
    for (const std::string& word : words.first(words.size() - 1)) take(word);
    begun_ = words.back();
    result_.begun = begun_;
    offer();
    return std::move(result_);
  }

 private:
  void take(std::string_view word) {
    if (awaits_ != nullptr) {
      note_value(*std::exchange(awaits_, nullptr), word);
    } else if (word.starts_with('-')) {
      const auto equals = word.find('=');
      const Parameter* option = option_called(word.substr(0, equals));
      if (option == nullptr) return;
      given_.insert(option);
      if (option->kind == ParameterKind::flag) return;
      if (equals == std::string_view::npos) {
        awaits_ = option;
      } else {
        note_value(*option, word.substr(equals + 1));
      }
    } else if (row_ != nullptr) {
      ++positionals_;
    } else if (const auto row = std::ranges::find_if(
                   rows_, [&](const CommandRow& r) { return r.group == group_ && r.verb == word; });
               row != rows_.end()) {
      row_ = &*row;
    } else if (group_.empty()) {
      group_ = word;
    } else {
      lost_ = true;
    }
  }

  void note_value(const Parameter& option, std::string_view value) {
    if (option.name == kSocketOption) result_.socket = value;
  }

  const Parameter* option_called(std::string_view word) const {
    const auto called = [&](const Parameter& parameter) { return is_called(parameter, word); };
    if (row_ != nullptr) {
      const auto own = std::ranges::find_if(row_->parameters, called);
      if (own != row_->parameters.end()) return &*own;
    }
    const auto common = std::ranges::find_if(common_options(), called);
    return common == common_options().end() ? nullptr : &*common;
  }

  void offer() {
    if (lost_) return;
    if (awaits_ != nullptr) return offer_values(*awaits_, "");
    const auto equals = begun_.find('=');
    if (begun_.starts_with("--") && equals != std::string_view::npos) {
      const Parameter* option = option_called(begun_.substr(0, equals));
      // A shell takes no name of a file for a part of a word.
      if (option != nullptr && option->kind != ParameterKind::document)
        offer_values(*option, begun_.substr(0, equals + 1));
    } else if (begun_.starts_with('-')) {
      offer_options();
    } else if (row_ == nullptr) {
      offer_commands();
    } else {
      auto positionals = row_->parameters;
      std::size_t before = 0;
      const auto next = std::ranges::find_if(positionals, [&](const Parameter& parameter) {
        return parameter.is_positional() && before++ == positionals_;
      });
      if (next == positionals.end()) return offer_options();
      // What an `add` names is new.
      if (row_->verb != "add") offer_values(*next, "");
    }
  }

  void offer_commands() {
    std::string_view last;
    for (const CommandRow& row : rows_) {
      if (row.group == group_) {
        offer_word(std::string(row.verb), row.summary);
      } else if (group_.empty() && row.group != std::exchange(last, row.group)) {
        offer_word(std::string(row.group), group_summary(row.group));
      }
    }
  }

  void offer_options() {
    if (row_ != nullptr) {
      for (const Parameter& parameter : row_->parameters) {
        if (!parameter.is_positional()) offer_option(parameter);
      }
    }
    for (const Parameter& parameter : common_options()) offer_option(parameter);
  }

  void offer_option(const Parameter& parameter) {
    if (may_repeat(parameter) || !given_.contains(&parameter))
      offer_word(std::string(long_name(parameter)), parameter.help);
  }

  void offer_values(const Parameter& parameter, std::string_view before) {
    if (parameter.kind == ParameterKind::document) result_.files = true;
    for (const control::Value& value : parameter.values) {
      const std::string word = std::string(before) + std::string(value.word);
      if (value.listed_by.empty()) {
        offer_word(word, "");
        continue;
      }
      const std::string name = value.listed_by == control::kOwnList
                                   ? std::string(row_->group) + "." + std::string(value.listed_by)
                                   : std::string(value.listed_by);
      const control::Operation* operation = control::find_operation(name);
      if (operation != nullptr && (begun_.starts_with(word) || word.starts_with(begun_)))
        result_.lists.push_back({word, operation});
    }
  }

  void offer_word(std::string word, std::string_view help) {
    if (word.starts_with(begun_)) result_.words.push_back({std::move(word), std::string(help)});
  }

  std::span<const CommandRow> rows_;
  Completion result_;
  std::string_view begun_;
  std::string_view group_;
  const CommandRow* row_ = nullptr;
  bool lost_ = false;  // behind a word that is no command
  const Parameter* awaits_ = nullptr;
  std::set<const Parameter*> given_;
  std::size_t positionals_ = 0;
};

}  // namespace

Completion complete(std::span<const CommandRow> rows, std::span<const std::string> words) {
  return Reader(rows).read(words);
}

}  // namespace sekisho::cli
