#include "policy/model/source_text.h"

#include <cassert>
#include <utility>

#include "policy/base/text.h"

namespace sekisho {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

SourceText::SourceText(std::string_view text, std::string_view file) : text_(text), file_(file) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

Result<void> SourceText::check() const {
  const auto place_of = [&](std::size_t offset) {
    SourceText from_here = *this;
    return from_here.at(offset);
  };
  if (text_.size() > kMaxDocumentBytes) {
    return error({1, 1}, "the document has " + std::to_string(text_.size()) + " bytes",
                 "at most " + std::to_string(kMaxDocumentBytes) + " are read");
  }
  if (text_.starts_with(kByteOrderMark)) {
    return error({1, 1}, "a second byte order mark", "take it out");
  }
  if (const auto offset = find_invalid_utf8(text_)) {
    return error(place_of(*offset), "this byte is not UTF-8", "save the file as UTF-8");
  }
  if (const auto offset = text_.find('\0'); offset != std::string_view::npos) {
    return error(place_of(offset), "a NUL character", "take it out");
  }
  return {};
}

Position SourceText::at(std::size_t offset) {
  assert(offset >= offset_ && offset <= text_.size());
  for (; offset_ < offset; ++offset_) {
    const auto byte = static_cast<unsigned char>(text_[offset_]);
    if (byte == '\n') {
      ++position_.line;
      position_.column = 1;
    } else if ((byte & 0xc0U) != 0x80) {
      ++position_.column;  // every byte but the continuations of a character
    }
  }
  return position_;
}

std::unexpected<Error> SourceText::error(Position position, std::string cause,
                                         std::string advice) const {
  return std::unexpected(Error{.code = ErrorCode::invalid,
                               .object = {},
                               .cause = std::move(cause),
                               .place = to_string(file_, position),
                               .advice = std::move(advice)});
}

std::unexpected<Error> SourceText::too_deep(Position position) const {
  return error(position, "nested too deep",
               "at most " + std::to_string(kMaxNesting) + " levels are read");
}

std::unexpected<Error> SourceText::too_many_values(Position position) const {
  return error(position, "too many values",
               "at most " + std::to_string(kMaxDocumentValues) + " are read");
}

std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char mark = text[at];
  const std::string three(3, mark);
  const bool multiline = text.substr(at, 3) == three;
  std::size_t i = at + (multiline ? 3 : 1);
  for (; i < text.size(); ++i) {
    if (text[i] == '\\' && mark == '"') {
      ++i;
    } else if (!multiline && (text[i] == mark || text[i] == '\n')) {
      return i + 1;
    } else if (multiline && text.substr(i, 3) == three) {
      i += 3;
      // Up to two quotes may stand before the three that close.
      for (int extra = 0; extra < 2 && i < text.size() && text[i] == mark; ++extra) ++i;
      return i;
    }
  }
  return text.size();
}

}  // namespace sekisho
