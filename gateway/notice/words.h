#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/notice/notice.h"

// A notice as a person reads it.
namespace sekisho::notice {

enum class Language { en, ja };

// One message: one notice, or several that go as one.
struct Message {
  std::string id;            // the notice's own; of several, the same for the same ones
  std::string subject = {};  // one line of plain text, however long
  std::string text = {};     // lines, each ended by "\n"
};

// `notices` are in order and at least one.
Message message_of(std::span<const Notice> notices, Language language);

}  // namespace sekisho::notice
