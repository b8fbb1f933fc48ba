#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sekisho::kernel {

// Netlink pads headers and attributes to 4 bytes (MNL_ALIGN, without its sign changes).
constexpr std::size_t aligned(std::size_t length) {
  return (length + 3) & ~std::size_t{3};
}
inline constexpr std::size_t kHeaderLength = aligned(sizeof(nlmsghdr));

// One request being written: the header now, attributes through libmnl on header(). What was
// written is wiped when the message goes, because some messages carry keys.
class Message {
 public:
  static constexpr std::size_t kDefaultRoom = 8192;

  // `flags` beside NLM_F_REQUEST, which is always set. `room` bounds the whole message, header
  // included: writing beyond it is a programming error.
  Message(std::uint16_t type, std::uint16_t flags, std::size_t room = kDefaultRoom);
  Message(Message&&) noexcept = default;
  Message& operator=(Message&&) noexcept = default;
  ~Message();

  nlmsghdr* header() { return header_; }
  const nlmsghdr* header() const { return header_; }
  std::size_t room_left() const { return room_ - header_->nlmsg_len; }

  // The fixed struct that follows the header (ifinfomsg, nfgenmsg, ...), zeroed.
  template <class T>
  T* extra() {
    return static_cast<T*>(mnl_nlmsg_put_extra_header(header_, sizeof(T)));
  }

 private:
  std::size_t room_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  nlmsghdr* header_;
};

// Messages that go to the kernel in one sendmsg, in this order. Not wiped: nothing secret goes
// here.
class Batch {
 public:
  // What one message may take; an nftables element list (at most 65 535 bytes by its 16-bit length)
  // fits with its set's attributes.
  static constexpr std::size_t kMessageRoom = std::size_t{128} * 1024;

  // Where the next message is to be written: kMessageRoom bytes that stay in place until the next
  // room() or begin(). For builders that write the header themselves (libnftnl).
  char* room();
  // Writes the header there; attributes through libmnl. NLM_F_REQUEST is always set.
  nlmsghdr* begin(std::uint16_t type, std::uint16_t flags);
  // Takes what was written at room() as message number size().
  void commit();

  // How many messages; they are numbered from 0.
  std::size_t size() const { return offsets_.size(); }
  bool empty() const { return offsets_.empty(); }
  // All of them, as they are sent.
  std::span<const std::uint8_t> bytes() const { return {buffer_.data(), used_}; }
  nlmsghdr* message(std::size_t index);

 private:
  std::vector<std::uint8_t> buffer_;
  std::size_t used_ = 0;
  std::vector<std::size_t> offsets_;
};

}  // namespace sekisho::kernel
