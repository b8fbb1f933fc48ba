#pragma once

#include <string>
#include <string_view>

#include "gateway/notice/words.h"

namespace sekisho::notice {

// An address as it stands between < and > in a mail's header: one @, ASCII without spaces,
// controls, quotes or angle brackets, at most 254 bytes (RFC 5321, 4.5.3.1).
bool is_mail_address(std::string_view text);
// The domain behind the @.
std::string_view domain_of(std::string_view address);

// A mail of RFC 5322, lines ended by CRLF and at most 78 bytes long. `from` and `to` are addresses;
// everything of the message is encoded (RFC 2047, base64), so nothing in it can become a header.
// The Message-ID is made of the message's id alone: who gets the same one twice can tell.
std::string mail_of(const Message& message, std::string_view from, std::string_view to, Time now);

}  // namespace sekisho::notice
