#include "policy/model/look_alike.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "policy/base/strong_id.h"
#include "policy/base/text.h"

namespace sekisho {
namespace {

// The letters of other scripts, and the dashes and dots, that are drawn as their neighbours on an
// English keyboard are and that NFKC leaves alone (Unicode UTS 39, confusables.txt). Sorted.
constexpr std::array<std::pair<char32_t, char>, 54> kConfusable{{
    {0x00b7, '.'}, {0x0131, 'i'}, {0x0251, 'a'}, {0x0261, 'g'}, {0x03b1, 'a'}, {0x03b3, 'y'},
    {0x03b9, 'i'}, {0x03ba, 'k'}, {0x03bd, 'v'}, {0x03bf, 'o'}, {0x03c1, 'p'}, {0x03c5, 'u'},
    {0x03c7, 'x'}, {0x0430, 'a'}, {0x0432, 'b'}, {0x0433, 'r'}, {0x0435, 'e'}, {0x043a, 'k'},
    {0x043c, 'm'}, {0x043d, 'h'}, {0x043e, 'o'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0442, 't'},
    {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'}, {0x0458, 'j'}, {0x04bb, 'h'},
    {0x04cf, 'l'}, {0x0501, 'd'}, {0x051b, 'q'}, {0x051d, 'w'}, {0x0561, 'w'}, {0x0570, 'h'},
    {0x0578, 'n'}, {0x057d, 'u'}, {0x0581, 'g'}, {0x0585, 'o'}, {0x2010, '-'}, {0x2012, '-'},
    {0x2013, '-'}, {0x2014, '-'}, {0x2015, '-'}, {0x2043, '-'}, {0x2212, '-'}, {0x2500, '-'},
    {0x3002, '.'}, {0x30fb, '.'}, {0x30fc, '-'}, {0x4e00, '-'}, {0xa4f8, '.'}, {0xa4fe, '-'},
}};
static_assert(std::ranges::is_sorted(kConfusable));

bool is_of_ids(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

// What a character of an id may have been meant to be; the character itself where it is nothing
// else.
std::string meaning(std::string_view character, char32_t value) {
  std::string plain = folded(character);
  if (is_of_ids(plain)) return plain;
  const char32_t base = first_code_point(plain) ? first_code_point(plain)->value : value;
  const auto found =
      std::ranges::lower_bound(kConfusable, base, {}, &decltype(kConfusable)::value_type::first);
  if (found == kConfusable.end() || found->first != base) return std::string(character);
  return {found->second};
}

}  // namespace

std::string folded(std::string_view text) {
  // Several flags together are no enumerator, though the library takes them as one.
  constexpr unsigned kFlags =
      UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
  constexpr auto kOptions = std::bit_cast<utf8proc_option_t>(kFlags);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  const utf8proc_ssize_t needed = utf8proc_decompose(bytes, size, nullptr, 0, kOptions);
  if (needed <= 0) return needed == 0 ? std::string() : std::string(text);
  // Writing it back as UTF-8 happens in place, with a NUL behind it.
  std::vector<utf8proc_int32_t> buffer(static_cast<std::size_t>(needed) + 1);
  utf8proc_decompose(bytes, size, buffer.data(), needed, kOptions);
  const utf8proc_ssize_t written = utf8proc_reencode(buffer.data(), needed, kOptions);
  if (written < 0) return std::string(text);
  return {reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(written)};
}

std::optional<LookAlike> find_look_alike(std::string_view text) {
  std::optional<LookAlike> found;
  std::string meant;
  std::size_t place = 0;
  while (const auto character = first_code_point(text)) {
    ++place;
    const std::string_view bytes = text.substr(0, character->bytes);
    const std::string meaning_here = meaning(bytes, character->value);
    const bool ascii = character->value < 0x80;
    if (!ascii && !found && meaning_here != bytes) found = LookAlike{place, character->value, {}};
    meant += meaning_here;
    text.remove_prefix(character->bytes);
  }
  if (!found || !is_valid_id(meant)) return std::nullopt;
  found->meant = std::move(meant);
  return found;
}

}  // namespace sekisho
