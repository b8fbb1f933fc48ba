#include "gateway/kernel/netlink/reply.h"

#include <cstring>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/message.h"

namespace sekisho::kernel {
namespace {

// Where the extended attributes begin, counted from the end of the header: behind the errno alone
// in NLMSG_DONE; behind the echoed request in NLMSG_ERROR, of which the kernel keeps only the
// header when it says so (NLM_F_CAPPED). See netlink_ack_tlv_fill in net/netlink/af_netlink.c.
std::size_t words_offset(const nlmsghdr& message, std::size_t payload) {
  if (message.nlmsg_type == NLMSG_DONE) return sizeof(int);
  if (payload < sizeof(nlmsgerr)) return payload;
  std::size_t echoed = sizeof(nlmsghdr);
  if ((message.nlmsg_flags & NLM_F_CAPPED) == 0) {
    const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message));
    echoed = aligned(std::size_t{error->msg.nlmsg_len});
  }
  return sizeof(int) + echoed;
}

}  // namespace

std::optional<Acknowledgement> read_acknowledgement(const nlmsghdr& message) {
  const std::size_t payload = mnl_nlmsg_get_payload_len(&message);
  if (message.nlmsg_len < kHeaderLength + sizeof(int)) return std::nullopt;
  int code = 0;
  std::memcpy(&code, mnl_nlmsg_get_payload(&message), sizeof code);
  Acknowledgement result{.error_number = code < 0 ? -code : code, .kernel_words = {}};
  const std::size_t offset = words_offset(message, payload);
  if ((message.nlmsg_flags & NLM_F_ACK_TLVS) != 0 && offset < payload) {
    const auto* bytes = static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(&message));
    const Attributes words({bytes + offset, payload - offset});
    result.kernel_words = words.text(NLMSGERR_ATTR_MSG).value_or("");
  }
  return result;
}

}  // namespace sekisho::kernel
