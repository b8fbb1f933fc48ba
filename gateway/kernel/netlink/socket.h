#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "gateway/kernel/netlink/message.h"
#include "gateway/kernel/netlink/unique_fd.h"
#include "policy/base/result.h"

namespace sekisho::kernel {

// One message of a batch that the kernel refused.
struct Refusal {
  std::size_t message = 0;  // its number in the batch, from 0
  int error_number = 0;     // positive errno
  std::string why;          // errno text, and the kernel's own words where it gave any
};

struct BatchReport {
  std::vector<Refusal> refused;
  // False when there were more refusals than the receive buffer held; there is at least one then.
  bool complete = true;
  bool accepted() const { return refused.empty(); }
};

// Takes a message of the kernel; an error it returns ends the exchange and is what the caller gets.
using MessageHandler = std::function<Result<void>(const nlmsghdr&)>;

// A netlink socket for requests. The kernel answers these buses (route, netfilter, generic) before
// sendmsg returns, so nothing here waits, and an answer that is not there was never given.
// Not for use by two threads at once. See netlink(7) and net/netlink/af_netlink.c.
class Socket {
 public:
  // `bus` is NETLINK_ROUTE, NETLINK_NETFILTER or NETLINK_GENERIC.
  static Result<Socket> open(int bus);

  // Its netlink address (nl_pid): notifications carry that of whoever made the change.
  std::uint32_t port() const { return port_; }

  // Sends one request and waits for its acknowledgement; `each` gets what the kernel answers before
  // that. `what` names the object in errors: "route 10.66.0.0/16 to wg0".
  Result<void> request(Message& message, std::string_view what, const MessageHandler& each = {});

  // Asks for a list. The kernel says when the list changed while it was read (NLM_F_DUMP_INTR); it
  // is then read again, a few times at most. `restart` is called before every reading: forget the
  // last.
  Result<void> dump(Message& message, std::string_view what, const std::function<void()>& restart,
                    const MessageHandler& each);

  // Sends all messages in one sendmsg and reports which were refused; never splits. Whether a
  // refusal undoes the others is the bus's business: it does in an nftables batch, elsewhere it
  // does not. Asks for an acknowledgement of the last message only, and takes every refusal. Fails
  // where nothing was sent, or where it cannot be known what became of it.
  Result<BatchReport> send(Batch& batch, std::string_view what);

 private:
  struct Exchange;
  Socket(int bus, UniqueFd fd);
  Result<void> transmit(std::span<const std::uint8_t> bytes, std::string_view what);
  Result<void> make_send_room(std::size_t bytes, std::string_view what);
  // One datagram; an empty one when there is none. Sets `overrun` when the kernel dropped answers.
  Result<std::span<const std::uint8_t>> receive(std::string_view what, bool& overrun);
  Result<void> dump_once(Message& message, std::string_view what, const MessageHandler& each,
                         bool& interrupted);

  int bus_;
  UniqueFd fd_;
  std::uint32_t port_ = 0;
  std::size_t send_room_ = 0;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace sekisho::kernel
