#include "gateway/kernel/netlink/socket.h"

#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <limits>
#include <string>

#include "gateway/kernel/netlink/errors.h"
#include "gateway/kernel/netlink/options.h"
#include "gateway/kernel/netlink/reply.h"

namespace sekisho::kernel {
namespace {

// The kernel builds datagrams of at most 32 KiB for dumps; answers to requests are smaller.
constexpr std::size_t kDatagramRoom = std::size_t{64} * 1024;
// Acknowledgements take about 1 KiB of buffer each: room for some thousand refusals of one batch.
constexpr int kReceiveBuffer = 4 * 1024 * 1024;
constexpr std::size_t kSendSlack = 4096;
constexpr int kDumpAttempts = 10;

// The last message that the kernel acknowledges when asked to. Kernels before 6.10 never answer for
// the message that ends an nfnetlink batch.
std::size_t last_answered(Batch& batch, int bus) {
  std::size_t last = batch.size() - 1;
  if (bus == NETLINK_NETFILTER && last > 0 &&
      batch.message(last)->nlmsg_type == NFNL_MSG_BATCH_END) {
    --last;
  }
  return last;
}

std::unexpected<Error> no_answer(std::string_view what) {
  return fail(ErrorCode::failed, std::string(what), "the kernel gave no answer",
              "what became of the request is not known: read the state back");
}

}  // namespace

Socket::Socket(int bus, UniqueFd fd) : bus_(bus), fd_(std::move(fd)), buffer_(kDatagramRoom) {}

Result<Socket> Socket::open(int bus) {
  auto fd = open_netlink(bus);
  if (!fd) return std::unexpected(fd.error());
  Socket socket(bus, std::move(*fd));
  const int descriptor = socket.fd_.get();
  // Refusals then carry the refused message's header, not all of it: many more fit the buffer.
  if (auto done = set_option(descriptor, SOL_NETLINK, NETLINK_CAP_ACK, 1); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = set_option(descriptor, SOL_NETLINK, NETLINK_EXT_ACK, 1); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = set_option(descriptor, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1); !done) {
    return std::unexpected(done.error());
  }
  size_receive_buffer(descriptor, kReceiveBuffer);
  sockaddr_nl own{};
  socklen_t length = sizeof own;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &length) != 0) {
    return errno_failure(errno, "netlink socket", "asking for its address");
  }
  socket.port_ = own.nl_pid;
  return socket;
}

Result<void> Socket::make_send_room(std::size_t bytes, std::string_view what) {
  const std::size_t wanted = bytes + kSendSlack;
  if (wanted <= send_room_) return {};
  if (wanted > static_cast<std::size_t>(std::numeric_limits<int>::max() / 2)) {
    return errno_failure(EMSGSIZE, std::string(what), "a batch is at most 1 GiB");
  }
  const auto value = static_cast<int>(wanted);
  if (auto done = set_option(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, value); !done) {
    return std::unexpected(done.error());
  }
  send_room_ = wanted;
  return {};
}

Result<void> Socket::transmit(std::span<const std::uint8_t> bytes, std::string_view what) {
  // Below this size every socket has the room, and reading needs no privilege.
  constexpr std::size_t kAlwaysFits = std::size_t{64} << 10;
  if (bytes.size() > kAlwaysFits) {
    if (auto room = make_send_room(bytes.size(), what); !room) return room;
  }
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = -1;
  do {
    sent = ::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                    reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return errno_failure(errno, std::string(what), "sending the request");
  assert(static_cast<std::size_t>(sent) == bytes.size());
  return {};
}

Result<std::span<const std::uint8_t>> Socket::receive(std::string_view what, bool& overrun) {
  while (true) {
    const auto datagram = receive_datagram(fd_.get(), buffer_);
    if (datagram) return *datagram;
    if (datagram.error() == EAGAIN) return std::span<const std::uint8_t>{};
    if (datagram.error() != ENOBUFS) {
      return errno_failure(datagram.error(), std::string(what), "reading the answer");
    }
    overrun = true;
  }
}

Result<void> Socket::request(Message& message, std::string_view what, const MessageHandler& each) {
  nlmsghdr* header = message.header();
  header->nlmsg_seq = ++sequence_;
  header->nlmsg_flags |= NLM_F_ACK;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
  if (auto sent = transmit({bytes, header->nlmsg_len}, what); !sent) return sent;

  std::optional<Acknowledgement> answer;
  Result<void> handled;
  bool overrun = false;
  while (true) {
    const auto datagram = receive(what, overrun);
    if (!datagram) return std::unexpected(datagram.error());
    if (datagram->empty()) break;
    for_each_message(*datagram, [&](const nlmsghdr& reply) {
      if (reply.nlmsg_seq != sequence_) return;
      if (reply.nlmsg_type == NLMSG_ERROR) {
        answer = read_acknowledgement(reply);
      } else if (each && handled) {
        handled = each(reply);
      }
    });
  }
  if (!answer) return no_answer(what);
  if (answer->error_number != 0) {
    return errno_failure(answer->error_number, std::string(what), answer->kernel_words);
  }
  return handled;
}

Result<void> Socket::dump_once(Message& message, std::string_view what, const MessageHandler& each,
                               bool& interrupted) {
  nlmsghdr* header = message.header();
  header->nlmsg_seq = ++sequence_;
  header->nlmsg_flags |= NLM_F_DUMP;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
  if (auto sent = transmit({bytes, header->nlmsg_len}, what); !sent) return sent;

  std::optional<Acknowledgement> end;
  Result<void> handled;
  // Read to the end even when it is of no more use: the socket takes no other request before.
  while (!end) {
    const auto datagram = receive(what, interrupted);
    if (!datagram) return std::unexpected(datagram.error());
    if (datagram->empty()) return no_answer(what);
    for_each_message(*datagram, [&](const nlmsghdr& reply) {
      if (reply.nlmsg_seq != sequence_) return;
      interrupted |= (reply.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (reply.nlmsg_type == NLMSG_ERROR || reply.nlmsg_type == NLMSG_DONE) {
        end = read_acknowledgement(reply).value_or(Acknowledgement{});
      } else if (handled && !interrupted) {
        handled = each(reply);
      }
    });
  }
  if (end->error_number == EINTR) {
    interrupted = true;
  } else if (end->error_number != 0) {
    return errno_failure(end->error_number, std::string(what), end->kernel_words);
  }
  return handled;
}

Result<void> Socket::dump(Message& message, std::string_view what,
                          const std::function<void()>& restart, const MessageHandler& each) {
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    bool interrupted = false;
    restart();
    auto done = dump_once(message, what, each, interrupted);
    if (!done || !interrupted) return done;
  }
  return fail(ErrorCode::failed, std::string(what),
              "it changed while it was read, " + std::to_string(kDumpAttempts) + " times in a row",
              "another program keeps changing it: find out which");
}

Result<BatchReport> Socket::send(Batch& batch, std::string_view what) {
  BatchReport report;
  if (batch.empty()) return report;
  const std::uint32_t first = sequence_ + 1;
  for (std::size_t index = 0; index < batch.size(); ++index) {
    batch.message(index)->nlmsg_seq = ++sequence_;
  }
  const std::uint32_t awaited = first + static_cast<std::uint32_t>(last_answered(batch, bus_));
  batch.message(awaited - first)->nlmsg_flags |= NLM_F_ACK;
  if (auto sent = transmit(batch.bytes(), what); !sent) return std::unexpected(sent.error());

  bool answered = false;
  bool overrun = false;
  while (true) {
    const auto datagram = receive(what, overrun);
    if (!datagram) return std::unexpected(datagram.error());
    if (datagram->empty()) break;
    for_each_message(*datagram, [&](const nlmsghdr& reply) {
      const std::uint32_t index = reply.nlmsg_seq - first;
      if (reply.nlmsg_type != NLMSG_ERROR || index >= batch.size()) return;
      const auto answer = read_acknowledgement(reply);
      if (!answer) return;
      answered |= reply.nlmsg_seq == awaited;
      if (answer->error_number == 0) return;
      std::string why = errno_text(answer->error_number);
      if (!answer->kernel_words.empty()) why += ": " + answer->kernel_words;
      report.refused.push_back({index, answer->error_number, std::move(why)});
    });
  }
  report.complete = !overrun;
  if (report.accepted() && (overrun || !answered)) return no_answer(what);
  return report;
}

}  // namespace sekisho::kernel
