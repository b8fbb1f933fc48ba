#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/notice/words.h"
#include "policy/base/result.h"

namespace sekisho::notify {

inline constexpr const char* kDefaultConfig = "/etc/sekisho/notify.toml";

// Mail submission (RFC 8314): TLS from the first byte, or after STARTTLS; never without.
struct Mail {
  std::string server;  // a name or an address
  std::uint16_t port = 465;
  bool starttls = false;
  std::string user, password;  // empty: without signing in
  std::string from, to;
  std::filesystem::path ca_file;  // whom to trust in the place of the system's; empty: the system's
};

struct Webhook {
  std::string url;     // https://; may hold a secret, so it is never told
  std::string secret;  // empty: not signed
  std::filesystem::path ca_file;
};

// One way out, with its own state for each notice.
struct Channel {
  std::string name;  // "mail.office"
  std::variant<Mail, Webhook> way;
};

struct Config {
  std::filesystem::path outbox = "/var/spool/sekisho";
  notice::Language language = notice::Language::en;
  std::chrono::hours give_up_after{72};
  std::size_t most_per_minute = 6;
  std::vector<Channel> channels;  // at least one
};

// Every mistake at once, each with file, line and column. Reads the files of secrets that `text`
// names.
Checked<Config> read_config(std::string_view text, std::string_view file);
Checked<Config> load_config(const std::filesystem::path& file);

}  // namespace sekisho::notify
