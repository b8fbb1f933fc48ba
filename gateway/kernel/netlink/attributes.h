#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sekisho::kernel {

// The netlink attributes (type, length, value) of a message or of a nest, read without trust: a
// length that does not fit ends the list, and a value of another size than asked for is "absent". A
// view: the message must outlive it and what it returns.
class Attributes {
 public:
  // Those of a message whose fixed struct takes `fixed` bytes.
  static Attributes of(const nlmsghdr& message, std::size_t fixed);
  explicit Attributes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool has(std::uint16_t type) const { return find(type).has_value(); }
  // The value's bytes. Where a type occurs twice, the last.
  std::optional<std::span<const std::uint8_t>> find(std::uint16_t type) const;
  std::optional<std::uint8_t> u8(std::uint16_t type) const;
  std::optional<std::uint16_t> u16(std::uint16_t type) const;
  std::optional<std::uint32_t> u32(std::uint16_t type) const;
  std::optional<std::uint64_t> u64(std::uint16_t type) const;
  // Host order, as it stands in the message for be*(): network order turned into the host's.
  std::optional<std::uint16_t> be16(std::uint16_t type) const;
  std::optional<std::uint32_t> be32(std::uint16_t type) const;
  std::optional<std::uint64_t> be64(std::uint16_t type) const;
  // Up to the first NUL or the end of the value.
  std::optional<std::string_view> text(std::uint16_t type) const;
  // The attributes inside; none where the type is absent.
  Attributes nest(std::uint16_t type) const;
  // Every attribute in order, for nests that are lists.
  struct Item {
    std::uint16_t type;
    std::span<const std::uint8_t> value;
  };
  std::vector<Item> items() const;

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace sekisho::kernel
