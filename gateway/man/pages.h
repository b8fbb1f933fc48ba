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
Page sekisho_notify_8();                              // from the words of its help
Page sekisho_portal_8();                              // from the words of its help
Page sekisho_notify_toml_5(std::string_view sample);  // as sekisho_toml_5()

// Every setting of a configuration to start from, section by section.
void add_settings(Page& page, std::string_view sample);

std::vector<Page> pages(std::string_view gateway_sample, std::string_view notify_sample);

}  // namespace sekisho::man
