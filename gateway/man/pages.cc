#include "gateway/man/pages.h"

namespace sekisho::man {

std::vector<Page> pages(std::string_view sample) {
  return {sekisho_1(), sekishod_8(), sekisho_toml_5(sample), sekisho_policy_5()};
}

}  // namespace sekisho::man
