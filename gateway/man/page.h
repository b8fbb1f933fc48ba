#pragma once

#include <string>
#include <string_view>

namespace sekisho::man {

// One manual page, written from its head to its end in the macros of man(7). In texts `this` is
// bold; everything else stands on the page as it is, whatever roff would make of it.
class Page {
 public:
  // sekisho-policy, 5, "the policy document of Sekisho"
  Page(std::string_view name, int section, std::string_view summary);

  void section(std::string_view title);
  void subsection(std::string_view title);
  void paragraph(std::string_view text);
  // What is explained, and below it, further in, the explanation.
  void item(std::string_view tag, std::string_view text);
  // Items between the two explain parts of the item before.
  void indent();
  void outdent();
  // As typed, line by line.
  void example(std::string_view lines);

  std::string file() const { return name_ + "." + std::to_string(section_); }
  const std::string& text() const { return text_; }

 private:
  void begin_paragraph();
  void filled(std::string_view text);
  void line(std::string_view escaped_text);

  std::string name_;
  int section_;
  std::string text_;
  bool at_heading_ = false;
};

}  // namespace sekisho::man
