#include "gateway/man/pages.h"

namespace sekisho::man {

std::vector<Page> pages(std::string_view gateway_sample, std::string_view notify_sample) {
  return {sekisho_1(),
          sekishod_8(),
          sekisho_notify_8(),
          sekisho_portal_8(),
          sekisho_toml_5(gateway_sample),
          sekisho_notify_toml_5(notify_sample),
          sekisho_policy_5()};
}

}  // namespace sekisho::man
