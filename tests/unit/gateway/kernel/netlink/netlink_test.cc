#include <gmock/gmock.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/errors.h"
#include "gateway/kernel/netlink/message.h"
#include "gateway/kernel/netlink/reply.h"

namespace sekisho::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Bytes = std::vector<std::uint8_t>;

TEST(Errors, NameTheErrnoAndWhatTheKernelSaid) {
  const Error error = errno_failure(EINVAL, "set grants", "Set is full").error();
  EXPECT_EQ(error.code, ErrorCode::failed);
  EXPECT_EQ(error.object, "set grants");
  EXPECT_EQ(error.cause, "Invalid argument (EINVAL): Set is full");
}

TEST(Errors, TellAbsenceAndPresenceFromFailure) {
  EXPECT_EQ(errno_failure(ENOENT, "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(errno_failure(ESRCH, "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(errno_failure(ENODEV, "x").error().code, ErrorCode::not_found);
  EXPECT_EQ(errno_failure(EEXIST, "x").error().code, ErrorCode::conflict);
  EXPECT_THAT(errno_failure(EPERM, "x").error().advice, HasSubstr("CAP_NET_ADMIN"));
}

TEST(Attributes, ReadsNumbersTextAndNests) {
  Message message(1, 0);
  mnl_attr_put_u32(message.header(), 1, 0x01020304);
  mnl_attr_put_strz(message.header(), 2, "wg0");
  nlattr* nest = mnl_attr_nest_start(message.header(), 3);
  mnl_attr_put_u16(message.header(), 1, 0x0102);
  mnl_attr_nest_end(message.header(), nest);
  const Attributes attributes = Attributes::of(*message.header(), 0);
  EXPECT_EQ(attributes.u32(1), 0x01020304u);
  EXPECT_EQ(attributes.be32(1), 0x04030201u);
  EXPECT_EQ(attributes.text(2), "wg0");
  EXPECT_EQ(attributes.nest(3).u16(1), 0x0102);
  EXPECT_EQ(attributes.u16(1), std::nullopt) << "a value of another size is absent";
  EXPECT_EQ(attributes.u32(9), std::nullopt);
  EXPECT_TRUE(attributes.nest(9).items().empty());
}

TEST(Attributes, StopAtALengthThatDoesNotFit) {
  const Bytes too_long = {5, 0, 1, 0, 7, 0, 0, 0, 200, 0, 2, 0, 1, 1};
  EXPECT_EQ(Attributes(too_long).items().size(), 1u);
  EXPECT_EQ(Attributes(too_long).u8(1), 7);
  const Bytes too_short = {3, 0, 1, 0};
  EXPECT_TRUE(Attributes(too_short).items().empty());
  const Bytes cut = {4, 0, 1};
  EXPECT_TRUE(Attributes(cut).items().empty());
}

TEST(Batch, KeepsMessagesInOrderWhileItGrows) {
  Batch batch;
  const std::string filling(60'000, 'x');
  for (std::uint32_t index = 0; index < 100; ++index) {
    nlmsghdr* header = batch.begin(20, NLM_F_CREATE);
    mnl_attr_put_u32(header, 1, index);
    mnl_attr_put(header, 2, filling.size(), filling.data());
    batch.commit();
  }
  ASSERT_EQ(batch.size(), 100u);
  EXPECT_GT(batch.bytes().size(), 6'000'000u);
  std::uint32_t expected = 0;
  for_each_message(batch.bytes(), [&](const nlmsghdr& message) {
    EXPECT_EQ(message.nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE);
    EXPECT_EQ(Attributes::of(message, 0).u32(1), expected++);
  });
  EXPECT_EQ(expected, 100u);
}

// NLMSG_ERROR, -22, the request's header (capped), then NLMSGERR_ATTR_MSG "No set".
TEST(Acknowledgement, DecodesTheKernelsWords) {
  const Bytes bytes = {48,   0,    0,    0,    2,  0, 0, 3, 7,   0,   0,   0,   0,   0,   0, 0,
                       0xea, 0xff, 0xff, 0xff, 20, 1, 0, 0, 9,   10,  5,   0,   7,   0,   0, 0,
                       0,    0,    0,    0,    11, 0, 1, 0, 'N', 'o', ' ', 's', 'e', 't', 0, 0};
  int count = 0;
  for_each_message(bytes, [&](const nlmsghdr& message) {
    ++count;
    const auto answer = read_acknowledgement(message);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error_number, EINVAL);
    EXPECT_EQ(answer->kernel_words, "No set");
  });
  EXPECT_EQ(count, 1);
}

TEST(Acknowledgement, SkipsTheEchoedRequestWhereItIsNotCapped) {
  Message message(NLMSG_ERROR, 0);
  message.header()->nlmsg_flags = NLM_F_ACK_TLVS;
  auto* error = message.extra<nlmsgerr>();
  error->error = -ENOENT;
  error->msg.nlmsg_len = sizeof(nlmsghdr) + 8;
  mnl_attr_put_u32(message.header(), NLMSGERR_ATTR_MSG, 0x41414141);  // the echoed payload
  mnl_attr_put_strz(message.header(), NLMSGERR_ATTR_MSG, "gone");
  const auto answer = read_acknowledgement(*message.header());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error_number, ENOENT);
  EXPECT_EQ(answer->kernel_words, "gone");
}

TEST(Acknowledgement, SurvivesLengthsThatLie) {
  Message message(NLMSG_ERROR, 0);
  message.header()->nlmsg_flags = NLM_F_ACK_TLVS;
  auto* error = message.extra<nlmsgerr>();
  error->error = -ENOENT;
  error->msg.nlmsg_len = 0xfffffff0;
  EXPECT_EQ(read_acknowledgement(*message.header())->kernel_words, "");
  message.header()->nlmsg_len = kHeaderLength + 2;
  EXPECT_FALSE(read_acknowledgement(*message.header()));
}

}  // namespace
}  // namespace sekisho::kernel
