#include "gateway/notify/config.h"

#include <curl/curl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>

#include "gateway/notice/delivery.h"
#include "gateway/notice/mail.h"
#include "gateway/settings/reader.h"
#include "policy/base/ip.h"
#include "policy/base/text.h"
#include "policy/model/policy.h"

namespace sekisho::notify {

namespace {

using settings::Reader;

constexpr std::size_t kMostSecretBytes = 1000;
constexpr std::uint16_t kSubmission = 587;  // where STARTTLS is the custom, RFC 6409

bool is_host(std::string_view text) {
  if (IpAddress::parse(text)) return true;
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-';
         });
}

// https, a host, no user in it, nothing that is no URL.
bool is_https(const std::string& text) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  const auto part = [&](CURLUPart which) {
    char* found = nullptr;
    if (curl_url_get(url.get(), which, &found, 0) != CURLUE_OK) return std::string();
    std::string value(found);
    curl_free(found);
    return value;
  };
  return is_plain_text(text) &&
         curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) == CURLUE_OK &&
         part(CURLUPART_SCHEME) == "https" && !part(CURLUPART_HOST).empty();
}

// The one line of a file that nobody else may read.
void read_secret(const Node& table, const std::string& path, std::string_view key,
                 std::string& into, Reader& reader) {
  std::filesystem::path file;
  if (table.find(key) == nullptr) return;
  reader.path(&table, path, key, file);
  if (!file.is_absolute()) return;
  const std::string at = path + "." + std::string(key);
  struct stat about{};
  std::ifstream in(file, std::ios::binary);
  if (!in || stat(file.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return reader.refuse(at, file.string() + " cannot be read",
                         "make it a file that the group sekisho-notify may read");
  }
  if ((about.st_mode & S_IROTH) != 0) {
    return reader.refuse(at, file.string() + " can be read by everybody",
                         "chmod 640 " + file.string() + "; chgrp sekisho-notify " + file.string());
  }
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (text.ends_with('\n')) text.pop_back();
  if (text.empty() || text.size() > kMostSecretBytes || !is_plain_text(text)) {
    return reader.refuse(at, file.string() + " does not hold one line of text",
                         "write the secret into it, and nothing else");
  }
  into = std::move(text);
}

void read_ca_file(const Node& table, const std::string& path, std::filesystem::path& into,
                  Reader& reader) {
  reader.path(&table, path, "ca_file", into);
  if (into.is_absolute() && access(into.c_str(), R_OK) != 0) {
    reader.refuse(path + ".ca_file", into.string() + " cannot be read: " + std::strerror(errno),
                  "name a file of certificates in PEM");
  }
}

void need(const Node& table, const std::string& path, std::string_view key, std::string advice,
          Reader& reader) {
  if (table.find(key) == nullptr)
    reader.refuse(path + "." + std::string(key), "is missing", std::move(advice));
}

Mail read_mail(const Node& table, const std::string& path, Reader& reader) {
  reader.known(*table.table(), path,
               {"server", "port", "security", "user", "password_file", "from", "to", "ca_file"});
  Mail mail;
  need(table, path, "server", "give the name of the mail server", reader);
  if (reader.text(&table, path, "server", mail.server) != nullptr && !is_host(mail.server)) {
    reader.refuse(path + ".server", quote(mail.server) + " is neither a host's name nor an address",
                  "write mail.example.com; the port has a setting of its own");
  }
  reader.number(&table, path, "port", 1, 65535,
                [&](std::int64_t value) { mail.port = static_cast<std::uint16_t>(value); });
  std::string security = mail.port == kSubmission ? "starttls" : "tls";
  reader.text(&table, path, "security", security);
  mail.starttls = security == "starttls";
  if (!mail.starttls && security != "tls")
    reader.refuse(path + ".security", quote(security) + " is not known", "write tls or starttls");
  reader.text(&table, path, "user", mail.user);
  if (!is_plain_text(mail.user))
    reader.refuse(path + ".user", "has control characters", "write the name alone");
  read_secret(table, path, "password_file", mail.password, reader);
  if ((table.find("user") == nullptr) != (table.find("password_file") == nullptr))
    reader.refuse(path, "has one of user and password_file", "give both, or neither");
  for (const auto& [key, into] : {std::pair("from", &mail.from), std::pair("to", &mail.to)}) {
    need(table, path, key, "give one address, as it@example.com", reader);
    if (reader.text(&table, path, key, *into) != nullptr && !notice::is_mail_address(*into)) {
      reader.refuse(path + "." + key, quote(*into) + " is not one mail address",
                    "write it@example.com; for several people, one [mail.NAME] each");
    }
  }
  read_ca_file(table, path, mail.ca_file, reader);
  return mail;
}

Webhook read_webhook(const Node& table, const std::string& path, Reader& reader) {
  reader.known(*table.table(), path, {"url", "secret_file", "ca_file"});
  Webhook webhook;
  need(table, path, "url", "give the address that takes the notices", reader);
  // What it is is not told: it may hold a secret.
  if (reader.text(&table, path, "url", webhook.url) != nullptr && !is_https(webhook.url)) {
    reader.refuse(path + ".url", "is not an https:// address",
                  "write https://host/path, without a user's name in it");
  }
  read_secret(table, path, "secret_file", webhook.secret, reader);
  read_ca_file(table, path, webhook.ca_file, reader);
  return webhook;
}

// [mail.office], [mail.boss]: each table of `kind`.
void read_channels(const Node& root, const std::string& kind, Config& config, Reader& reader,
                   auto read) {
  const Node* all = reader.section(root, kind);
  if (all == nullptr) return;
  for (const auto& [name, table] : *all->table()) {
    const std::string path = std::string(kind).append(".").append(name);
    if (!is_valid_id(name)) {
      reader.refuse(path, quote(name) + " is not a name",
                    "use 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit");
    } else if (table.table() == nullptr) {
      reader.refuse(path, "is not a section", "write it as [" + kind + ".NAME]");
    } else {
      config.channels.push_back({path, read(table, path, reader)});
    }
  }
}

void read_general(const Node& table, Config& config, Reader& reader) {
  const std::string path = "notify";
  reader.known(*table.table(), path,
               {"outbox", "language", "give_up_after_hours", "most_per_minute"});
  reader.path(&table, path, "outbox", config.outbox);
  std::string language = "en";
  reader.text(&table, path, "language", language);
  if (language != "en" && language != "ja")
    reader.refuse("notify.language", quote(language) + " is not known", "write en or ja");
  if (language == "ja") config.language = notice::Language::ja;
  reader.number(&table, path, "give_up_after_hours", 1, 720,
                [&](std::int64_t value) { config.give_up_after = std::chrono::hours(value); });
  reader.number(&table, path, "most_per_minute", 1, 60, [&](std::int64_t value) {
    config.most_per_minute = static_cast<std::size_t>(value);
  });
}

}  // namespace

Checked<Config> read_config(std::string_view text, std::string_view file) {
  const auto root = settings::read_root(text, file, "sekisho-notify --check");
  if (!root) return std::unexpected(root.error());
  Errors errors;
  Reader reader(errors);
  Config config;
  reader.known(*root->table(), "", {"notify", "mail", "webhook"});
  if (const Node* general = reader.section(*root, "notify")) read_general(*general, config, reader);
  read_channels(*root, "mail", config, reader, read_mail);
  read_channels(*root, "webhook", config, reader, read_webhook);
  if (config.channels.size() > notice::kMostChannels) {
    reader.refuse("notify",
                  "there are more than " + std::to_string(notice::kMostChannels) + " ways out",
                  "send to a mailing list");
  }
  if (errors.empty() && config.channels.empty())
    reader.refuse("notify", "there is no way out", "give a [mail.NAME] or a [webhook.NAME]");
  if (errors.empty()) return config;
  return std::unexpected(settings::placed(std::move(errors), *root, file));
}

Checked<Config> load_config(const std::filesystem::path& file) {
  const auto text = settings::read_text(file);
  if (!text) return std::unexpected(text.error());
  return read_config(*text, file.string());
}

}  // namespace sekisho::notify
