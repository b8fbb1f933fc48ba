#pragma once

#include <string>
#include <vector>

#include "gateway/kernel/netlink/message.h"
#include "gateway/kernel/netlink/socket.h"
#include "policy/base/result.h"

namespace sekisho::kernel {

// One difference between what is and what is to be, and the request that ends it.
struct Step {
  std::string difference;  // "rule 12: missing"
  Message repair;
};

// Makes the requests in order. What is already as the request wants it is no error.
Result<void> carry_out(Socket& socket, std::vector<Step>& steps);

}  // namespace sekisho::kernel
