#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "gateway/notice/words.h"

namespace sekisho::notice {

// The JSON that a webhook gets, on one line: {"version":1,"id":...,"text":...,"notices":[...]}.
// "text" is the message for a person, under the name that chat services read. At most
// kMostPosted notices stand in it; "count" says how many there were.
inline constexpr std::size_t kMostPosted = 100;
std::string webhook_of(const Message& message, std::span<const Notice> notices);

}  // namespace sekisho::notice
