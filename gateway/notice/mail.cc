#include "gateway/notice/mail.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "policy/base/text.h"

namespace sekisho::notice {

namespace {

constexpr std::string_view kBreak = "\r\n";
constexpr std::size_t kMostAddressBytes = 254;
constexpr std::size_t kWordBytes = 45;  // of UTF-8, so that an encoded word is at most 75 long
constexpr std::size_t kLineBytes = 57;  // 76 characters of base64

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i)
      bits = bits << 8U | (i < group.size() ? static_cast<std::uint8_t>(group[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i)
      text += i <= group.size() ? kDigits[bits >> (18 - 6 * i) & 63U] : '=';
  }
  return text;
}

// "=?UTF-8?B?...?=", as many as it takes, each on a line of its own; `text` is plain.
std::string encoded_words(std::string_view text) {
  std::string words;
  while (!text.empty()) {
    std::size_t bytes = 0;
    while (const auto next = first_code_point(text.substr(bytes))) {
      if (bytes + next->bytes > kWordBytes) break;
      bytes += next->bytes;
    }
    if (!words.empty()) words.append(kBreak).append(" ");
    words.append("=?UTF-8?B?").append(base64(text.substr(0, bytes))).append("?=");
    text.remove_prefix(bytes);
  }
  return words;
}

std::string padded(unsigned value) {
  return (value < 10 ? "0" : "") + std::to_string(value);
}

// RFC 5322, 3.3: "Sat, 28 Nov 2026 13:50:14 +0000"
std::string date(Time time) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day when(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return std::string(kDays.at(std::chrono::weekday(day).c_encoding())) + ", " +
         padded(static_cast<unsigned>(when.day())) + " " +
         kMonths.at(static_cast<unsigned>(when.month()) - 1) + " " +
         std::to_string(static_cast<int>(when.year())) + " " +
         padded(static_cast<unsigned>(clock.hours().count())) + ":" +
         padded(static_cast<unsigned>(clock.minutes().count())) + ":" +
         padded(static_cast<unsigned>(clock.seconds().count())) + " +0000";
}

}  // namespace

bool is_mail_address(std::string_view text) {
  const auto at = text.find('@');
  const bool whole = text.size() <= kMostAddressBytes && at != std::string_view::npos && at > 0 &&
                     at + 1 < text.size() && text.find('@', at + 1) == std::string_view::npos;
  return whole && std::ranges::all_of(text, [](char c) {
           return c > ' ' && c < '\x7f' &&
                  std::string_view("<>()[]\\,;:\"").find(c) == std::string_view::npos;
         });
}

std::string_view domain_of(std::string_view address) {
  return address.substr(address.find('@') + 1);
}

std::string mail_of(const Message& message, std::string_view from, std::string_view to, Time now) {
  std::string mail;
  const auto header = [&](std::string_view name, std::string_view value) {
    mail.append(name).append(": ").append(value).append(kBreak);
  };
  header("Date", date(now));
  header("From", std::string("<").append(from).append(">"));
  header("To", std::string("<").append(to).append(">"));
  header("Subject", encoded_words(plain(message.subject)));
  header("Message-ID",
         std::string("<").append(message.id).append("@").append(domain_of(from)).append(">"));
  header("Auto-Submitted", "auto-generated");  // RFC 3834: no vacation answers
  header("MIME-Version", "1.0");
  header("Content-Type", "text/plain; charset=UTF-8");
  header("Content-Transfer-Encoding", "base64");
  mail += kBreak;
  // The lines of a text end with CRLF inside base64 too (RFC 2045, 6.8).
  std::string text;
  for (const char c : message.text) {
    if (c == '\n') text += '\r';
    text += c;
  }
  for (std::size_t at = 0; at < text.size(); at += kLineBytes)
    mail.append(base64(std::string_view(text).substr(at, kLineBytes))).append(kBreak);
  return mail;
}

}  // namespace sekisho::notice
