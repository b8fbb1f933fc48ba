#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace sekisho::kernel {

// Growing text that holds keys: every buffer it ever had is wiped before it is given back.
class SecretText {
 public:
  SecretText() = default;
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText();

  void append(std::string_view text);
  // `bytes` as lower-case hexadecimal.
  void append_hex(std::span<const std::uint8_t> bytes);
  // Room for `length` more characters, to be written and then taken with add_written().
  std::span<char> room(std::size_t length);
  void add_written(std::size_t length) { size_ += length; }

  std::string_view view() const { return {buffer_.data(), size_}; }

 private:
  std::vector<char> buffer_;
  std::size_t size_ = 0;
};

}  // namespace sekisho::kernel
