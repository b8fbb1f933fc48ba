#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace sekisho {

// A name that an administrator gives: 1 to 63 of a-z 0-9 . _ -, beginning with a letter or digit.
// The narrow set keeps names safe in file paths, kernel comments, log fields and URLs.
bool is_valid_id(std::string_view text);

// A string that names one kind of thing. Two kinds do not mix, so swapped arguments do not compile.
// Holding a StrongId does not mean that the text was checked: decoding does that (is_valid_id).
template <class Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string text) : text_(std::move(text)) {}

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const StrongId&) const = default;

 private:
  std::string text_;
};

// A number that counts or names one kind of thing. Zero means "none".
template <class Tag, class Rep = std::uint32_t>
class StrongNumber {
 public:
  using rep = Rep;
  constexpr StrongNumber() = default;
  constexpr explicit StrongNumber(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr explicit operator bool() const { return value_ != 0; }
  constexpr auto operator<=>(const StrongNumber&) const = default;

 private:
  Rep value_ = 0;
};

}  // namespace sekisho

template <class Tag>
struct std::hash<sekisho::StrongId<Tag>> {
  std::size_t operator()(const sekisho::StrongId<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.str());
  }
};

template <class Tag, class Rep>
struct std::hash<sekisho::StrongNumber<Tag, Rep>> {
  std::size_t operator()(sekisho::StrongNumber<Tag, Rep> number) const noexcept {
    return std::hash<Rep>{}(number.value());
  }
};
