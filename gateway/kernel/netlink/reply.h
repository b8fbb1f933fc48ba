#pragma once

#include <libmnl/libmnl.h>

#include <optional>
#include <span>
#include <string>

namespace sekisho::kernel {

// What an NLMSG_ERROR or NLMSG_DONE message says. Zero is an acknowledgement.
struct Acknowledgement {
  int error_number = 0;      // positive errno
  std::string kernel_words;  // NLMSGERR_ATTR_MSG of the extended acknowledgement, if any
};

// Nothing where `message` is too short to say anything.
std::optional<Acknowledgement> read_acknowledgement(const nlmsghdr& message);

// Calls `each(const nlmsghdr&)` for every whole message in a datagram.
template <class Each>
void for_each_message(std::span<const std::uint8_t> datagram, const Each& each) {
  auto left = static_cast<int>(datagram.size());
  const auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data());
  while (mnl_nlmsg_ok(message, left)) {
    each(*message);
    message = mnl_nlmsg_next(message, &left);
  }
}

}  // namespace sekisho::kernel
