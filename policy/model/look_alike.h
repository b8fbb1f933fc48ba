#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sekisho {

// What is left of a text when everything is taken from it that a reader hardly sees: wide and
// narrow forms, ligatures, upper and lower case, invisible characters (Unicode NFKC_Casefold). Two
// names with one folded text are one name to whoever reads them. `text` is UTF-8.
std::string folded(std::string_view text);

// A character that is taken for one of a-z 0-9 . _ - and is another.
struct LookAlike {
  std::size_t place = 0;  // which character of the text, from 1
  char32_t character = 0;
  std::string meant;  // the text with everything in it that looks like a-z 0-9 . _ - replaced by it
};
// The first such in `text`; nothing where there is none or where what is meant is no id either.
std::optional<LookAlike> find_look_alike(std::string_view text);

}  // namespace sekisho
