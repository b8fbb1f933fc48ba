#include "policy/base/text.h"

#include <algorithm>
#include <array>
#include <vector>

namespace sekisho {
namespace {

constexpr std::size_t kPrintableBytes = 120;
constexpr std::size_t kLongestMisspelt = 63;

// Optimal string alignment distance, or any number above `limit` where it is above; both words at
// most kLongestMisspelt bytes.
std::size_t edits(std::string_view a, std::string_view b, std::size_t limit) {
  using Row = std::array<std::size_t, kLongestMisspelt + 1>;
  Row before_last{};
  Row last{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = last;
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    if (std::min(std::ranges::min(std::span(row).first(b.size() + 1)),
                 std::ranges::min(std::span(last).first(b.size() + 1))) > limit) {
      return limit + 1;
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<CodePoint> first_code_point(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return CodePoint{lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return std::nullopt;
  char32_t value = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return std::nullopt;
    value = value << 6 | (byte(i) & 0x3fU);
  }
  const bool overlong = (bytes == 3 && value < 0x800) || (bytes == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff) return std::nullopt;
  return CodePoint{value, bytes};
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto character = first_code_point(text.substr(i));
    if (!character) return i;
    i += character->bytes;
  }
  return std::nullopt;
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const auto character = first_code_point(text);
    if (!character || is_control(character->value)) return false;
    text.remove_prefix(character->bytes);
  }
  return true;
}

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string result;
  while (!text.empty()) {
    if (result.size() > kPrintableBytes) return result + "...";
    const auto character = first_code_point(text);
    const std::size_t bytes = character ? character->bytes : 1;
    if (character && !is_control(character->value)) {
      result += text.substr(0, bytes);
    } else {
      for (const char raw : text.substr(0, bytes)) {
        const auto byte = static_cast<unsigned char>(raw);
        result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      }
    }
    text.remove_prefix(bytes);
  }
  return result;
}

std::string quote(std::string_view text) {
  return '"' + printable(text) + '"';
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  if (word.size() > kLongestMisspelt) return std::nullopt;
  std::size_t limit = std::min<std::size_t>(3, std::max<std::size_t>(1, word.size() / 3));
  std::optional<std::string_view> best;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kLongestMisspelt) continue;
    const std::size_t apart =
        std::max(candidate.size(), word.size()) - std::min(candidate.size(), word.size());
    if (apart > limit) continue;
    const std::size_t distance = edits(word, candidate, limit);
    if (distance > limit || (best && distance == limit)) continue;
    best = candidate;
    limit = distance;
  }
  return best;
}

}  // namespace sekisho
