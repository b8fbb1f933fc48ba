#include "gateway/kernel/wireguard/secret_text.h"

#include <string.h>

#include <algorithm>
#include <utility>

namespace sekisho::kernel {
namespace {

void wipe(std::vector<char>& buffer) {
  if (!buffer.empty()) explicit_bzero(buffer.data(), buffer.size());
}

}  // namespace

SecretText::SecretText(SecretText&& other) noexcept
    : buffer_(std::move(other.buffer_)), size_(std::exchange(other.size_, 0)) {}

SecretText::~SecretText() {
  wipe(buffer_);
}

std::span<char> SecretText::room(std::size_t length) {
  if (buffer_.size() < size_ + length) {
    std::vector<char> larger(std::max(size_ + length, 2 * buffer_.size()));
    std::copy_n(buffer_.begin(), size_, larger.begin());
    wipe(buffer_);
    buffer_ = std::move(larger);
  }
  return {buffer_.data() + size_, length};
}

void SecretText::append(std::string_view text) {
  std::ranges::copy(text, room(text.size()).begin());
  add_written(text.size());
}

void SecretText::append_hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::span<char> out = room(2 * bytes.size());
  for (std::size_t index = 0; index < bytes.size(); ++index) {
    out[2 * index] = kDigits[bytes[index] >> 4];
    out[2 * index + 1] = kDigits[bytes[index] & 15];
  }
  add_written(2 * bytes.size());
}

}  // namespace sekisho::kernel
