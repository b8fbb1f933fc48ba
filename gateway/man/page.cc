#include "gateway/man/page.h"

#include <algorithm>
#include <utility>

namespace sekisho::man {

namespace {

// When what the pages say changed last, beside what is made from tables.
constexpr std::string_view kDate = "2026-11-25";
constexpr std::size_t kSourceWidth = 79;

std::string escaped(std::string_view text) {
  std::string out;
  bool bold = false;
  for (const char c : text) {
    switch (c) {
      case '`':
        out += bold ? "\\fR" : "\\fB";
        bold = !bold;
        break;
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '"':
        out += "\\(dq";
        break;
      default:
        out += c;
    }
  }
  if (bold) out += "\\fR";
  return out;
}

std::string capitals(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

}  // namespace

Page::Page(std::string_view name, int section, std::string_view summary)
    : name_(name), section_(section) {
  text_ = ".TH \"" + escaped(capitals(name)) + "\" \"" + std::to_string(section) + "\" \"" +
          std::string(kDate) + "\" \"Sekisho\" \"Sekisho\"\n";
  text_ += ".nh\n.ad l\n";  // a name that is parted at the end of a line is no name
  this->section("NAME");
  at_heading_ = false;
  line(escaped(name) + " \\- " + escaped(summary));
}

void Page::section(std::string_view title) {
  text_ += ".SH " + escaped(title) + "\n";
  at_heading_ = true;
}

void Page::subsection(std::string_view title) {
  text_ += ".SS " + escaped(title) + "\n";
  at_heading_ = true;
}

void Page::paragraph(std::string_view text) {
  begin_paragraph();
  filled(text);
}

void Page::item(std::string_view tag, std::string_view text) {
  at_heading_ = false;
  text_ += ".TP\n";
  line("\\fB" + escaped(tag) + "\\fR");
  filled(text);
}

void Page::indent() {
  text_ += ".RS\n";
}

void Page::outdent() {
  text_ += ".RE\n";
}

void Page::example(std::string_view lines) {
  begin_paragraph();
  text_ += ".RS 4\n.nf\n";
  while (!lines.empty()) {
    const std::string_view first = lines.substr(0, lines.find('\n'));
    line(escaped(first));
    lines.remove_prefix(std::min(first.size() + 1, lines.size()));
  }
  text_ += ".fi\n.RE\n";
}

// A heading begins one by itself.
void Page::begin_paragraph() {
  if (!std::exchange(at_heading_, false)) text_ += ".PP\n";
}

// Text that roff fills by itself, in lines that a person can read.
void Page::filled(std::string_view text) {
  const std::string whole = escaped(text);
  std::string_view rest = whole;
  while (rest.size() > kSourceWidth) {
    const std::size_t space = rest.rfind(' ', kSourceWidth);
    if (space == std::string_view::npos) break;
    line(rest.substr(0, space));
    rest.remove_prefix(space + 1);
  }
  line(rest);
}

// A point at the beginning of a line would be a request.
void Page::line(std::string_view escaped_text) {
  if (escaped_text.starts_with('.')) text_ += "\\&";
  text_.append(escaped_text).append("\n");
}

}  // namespace sekisho::man
