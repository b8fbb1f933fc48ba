#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sekisho {

// The first character of `text` as a code point and its length in bytes. Nothing where `text` is
// empty or does not begin with well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no
// overlongs).
struct CodePoint {
  char32_t value;
  std::size_t bytes;
};
std::optional<CodePoint> first_code_point(std::string_view text);

// Where the first byte that is not UTF-8 stands; nothing where all of `text` is.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

// True for what never belongs in a name or a reason: control characters, line and paragraph
// separators, and the characters that reorder what a reader sees (Unicode Bidi_Control).
bool is_control(char32_t character);

// UTF-8 without control characters.
bool is_plain_text(std::string_view text);

// `text` for a message: control characters and broken bytes escaped, long text cut.
std::string printable(std::string_view text);
// The same in quotes.
std::string quote(std::string_view text);

// The candidate that `word` was probably meant to be: the fewest edits away (insert, delete,
// replace, swap neighbours), at most a third of its length and 3. Of equals the first.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

}  // namespace sekisho
