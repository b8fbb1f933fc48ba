#pragma once

#include <string_view>
#include <vector>

#include "gateway/man/page.h"

namespace sekisho::man {

Page sekisho_1();   // from the table of commands
Page sekishod_8();  // from the words of its help
// From the configuration to start from, which has every setting with its default and meaning.
Page sekisho_toml_5(std::string_view sample);
Page sekisho_policy_5();

std::vector<Page> pages(std::string_view sample);

}  // namespace sekisho::man
