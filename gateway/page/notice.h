#pragma once

#include <string>
#include <string_view>

#include "policy/model/node.h"

namespace sekisho::page {

// The page for a device, from what notice.show answered; null where the gateway gave no answer.
std::string notice_page(const Node* answer);

// The Content-Security-Policy that lets through the page's own style and nothing else.
std::string_view content_security_policy();

// Text as HTML shows it.
std::string escaped(std::string_view text);

}  // namespace sekisho::page
