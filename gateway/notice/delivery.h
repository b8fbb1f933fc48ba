#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/base/time.h"

// How it went, as sekisho-notify writes it down for whoever looks.
namespace sekisho::notice {

// One way out: an address of mail, a webhook.
struct ChannelReport {
  std::string name;  // "mail.office"
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  std::optional<Time> last_delivery;
  std::string last_error;  // since the last delivery; empty: none
  std::optional<Time> last_error_time;
  bool operator==(const ChannelReport&) const = default;
};

// Counted since the outbox was made.
struct Report {
  std::vector<ChannelReport> channels;
  std::uint64_t bad = 0;  // files that were no notice
  std::string trouble;    // what hinders sekisho-notify itself, as a full disk; empty: nothing
  bool operator==(const Report&) const = default;
};

inline constexpr std::size_t kMostReportBytes = 65536;
inline constexpr std::size_t kMostChannels = 16;

std::string write_report(const Report& report);
// The writer has fewer rights than the reader: nothing of it is taken on trust.
Result<Report> read_report(std::string_view text, std::string_view file);

// What sekishod sees of the outbox.
struct Outlook {
  bool set_up = false;         // there is an outbox
  bool running = false;        // sekisho-notify holds its lock
  std::size_t waiting = 0;     // notices in it
  std::optional<Time> oldest;  // of them
  std::size_t kept = 0;        // that failed, and are kept for a person to look at
  std::uint64_t lost = 0;      // could not be put into it, since sekishod started
  std::string trouble;         // why it could not be read or written last
  Report report;
  bool operator==(const Outlook&) const = default;
};

std::uint64_t delivered(const Report& report);
std::uint64_t failed(const Report& report);
std::optional<Time> last_delivery(const Report& report);
// "mail.office: ...; webhook.chat: ..."; empty where none has one.
std::string last_errors(const Report& report);

}  // namespace sekisho::notice
