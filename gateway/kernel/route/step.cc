#include "gateway/kernel/route/step.h"

#include <linux/rtnetlink.h>

namespace sekisho::kernel {

Result<void> carry_out(Socket& socket, std::vector<Step>& steps) {
  for (Step& step : steps) {
    auto done = socket.request(step.repair, step.difference);
    if (done) continue;
    const auto type = step.repair.header()->nlmsg_type;
    const bool deletes = type == RTM_DELADDR || type == RTM_DELROUTE || type == RTM_DELRULE;
    const bool is_so = done.error().code == (deletes ? ErrorCode::not_found : ErrorCode::conflict);
    if (!is_so) return done;
  }
  return {};
}

}  // namespace sekisho::kernel
