#include "gateway/kernel/netlink/message.h"

#include <string.h>

#include <algorithm>
#include <cassert>

namespace sekisho::kernel {

Message::Message(std::uint16_t type, std::uint16_t flags, std::size_t room)
    : room_(room),
      buffer_(std::make_unique<std::uint8_t[]>(room)),
      header_(mnl_nlmsg_put_header(buffer_.get())) {
  header_->nlmsg_type = type;
  header_->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
}

Message::~Message() {
  if (!buffer_) return;
  assert(header_->nlmsg_len <= room_);
  explicit_bzero(buffer_.get(), header_->nlmsg_len);
}

char* Batch::room() {
  const std::size_t wanted = used_ + kMessageRoom;
  if (buffer_.size() < wanted) buffer_.resize(std::max(wanted, buffer_.size() * 2));
  return reinterpret_cast<char*>(buffer_.data() + used_);
}

nlmsghdr* Batch::begin(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr* header = mnl_nlmsg_put_header(room());
  header->nlmsg_type = type;
  header->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  return header;
}

void Batch::commit() {
  offsets_.push_back(used_);
  const std::size_t length = message(offsets_.size() - 1)->nlmsg_len;
  assert(length >= sizeof(nlmsghdr) && length <= kMessageRoom);
  used_ += aligned(length);
}

nlmsghdr* Batch::message(std::size_t index) {
  assert(index < offsets_.size());
  return reinterpret_cast<nlmsghdr*>(buffer_.data() + offsets_[index]);
}

}  // namespace sekisho::kernel
