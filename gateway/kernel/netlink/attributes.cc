#include "gateway/kernel/netlink/attributes.h"

#include <endian.h>

#include <algorithm>
#include <cstring>

#include "gateway/kernel/netlink/message.h"

namespace sekisho::kernel {
namespace {

template <class Each>
void for_each_item(std::span<const std::uint8_t> bytes, const Each& each) {
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr head;
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.nla_len < sizeof(nlattr) || head.nla_len > bytes.size()) return;
    each(Attributes::Item{static_cast<std::uint16_t>(head.nla_type & NLA_TYPE_MASK),
                          bytes.subspan(sizeof(nlattr), head.nla_len - sizeof(nlattr))});
    bytes = bytes.subspan(std::min(aligned(head.nla_len), bytes.size()));
  }
}

template <class T>
std::optional<T> number(std::optional<std::span<const std::uint8_t>> value) {
  if (!value || value->size() != sizeof(T)) return std::nullopt;
  T result;
  std::memcpy(&result, value->data(), sizeof result);
  return result;
}

}  // namespace

Attributes Attributes::of(const nlmsghdr& message, std::size_t fixed) {
  const std::size_t start = kHeaderLength + aligned(fixed);
  if (message.nlmsg_len < start) return Attributes({});
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&message);
  return Attributes({bytes + start, message.nlmsg_len - start});
}

std::vector<Attributes::Item> Attributes::items() const {
  std::vector<Item> items;
  for_each_item(bytes_, [&](const Item& item) { items.push_back(item); });
  return items;
}

std::optional<std::span<const std::uint8_t>> Attributes::find(std::uint16_t type) const {
  std::optional<std::span<const std::uint8_t>> found;
  for_each_item(bytes_, [&](const Item& item) {
    if (item.type == type) found = item.value;
  });
  return found;
}

std::optional<std::uint8_t> Attributes::u8(std::uint16_t type) const {
  return number<std::uint8_t>(find(type));
}
std::optional<std::uint16_t> Attributes::u16(std::uint16_t type) const {
  return number<std::uint16_t>(find(type));
}
std::optional<std::uint32_t> Attributes::u32(std::uint16_t type) const {
  return number<std::uint32_t>(find(type));
}
std::optional<std::uint64_t> Attributes::u64(std::uint16_t type) const {
  return number<std::uint64_t>(find(type));
}
std::optional<std::uint16_t> Attributes::be16(std::uint16_t type) const {
  return u16(type).transform([](std::uint16_t value) { return be16toh(value); });
}
std::optional<std::uint32_t> Attributes::be32(std::uint16_t type) const {
  return u32(type).transform([](std::uint32_t value) { return be32toh(value); });
}
std::optional<std::uint64_t> Attributes::be64(std::uint16_t type) const {
  return u64(type).transform([](std::uint64_t value) { return be64toh(value); });
}

std::optional<std::string_view> Attributes::text(std::uint16_t type) const {
  const auto value = find(type);
  if (!value) return std::nullopt;
  const std::string_view all(reinterpret_cast<const char*>(value->data()), value->size());
  return all.substr(0, all.find('\0'));
}

Attributes Attributes::nest(std::uint16_t type) const {
  return Attributes(find(type).value_or(std::span<const std::uint8_t>{}));
}

}  // namespace sekisho::kernel
