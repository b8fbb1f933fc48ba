#include "gateway/notify/transfer.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <variant>

#include "gateway/notice/mail.h"
#include "gateway/notice/webhook.h"

namespace sekisho::notify {

namespace {

constexpr long kConnectSeconds = 10;
constexpr long kWholeSeconds = 25;
constexpr std::size_t kMostHeard = 300;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  curl_easy_setopt(easy, option, value);
}

// HMAC-SHA256 (RFC 2104) in hex.
std::string signature(const std::string& secret, const std::string& body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &length);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : std::span(digest).first(length))
    text += {kDigits[byte >> 4U], kDigits[byte & 15U]};
  return text;
}

// A refusal that concerns this message (RFC 5321, 4.2.1). Without rights, 530 and 535, somebody may
// mend the password.
bool refused_for_good(CURLcode code, long reply) {
  return (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR) && reply >= 500 && reply <= 599 &&
         reply != 530 && reply != 535;
}

// Of a webhook, what says that this request is wrong. Where the address, the rights or the rate
// are, somebody can mend it.
bool refused_for_good(long status) {
  constexpr std::array<long, 7> kMendable{401, 403, 404, 407, 408, 425, 429};
  return status >= 400 && status <= 499 && std::ranges::find(kMendable, status) == kMendable.end();
}

}  // namespace

Transfer::Transfer(const Channel& channel) : channel_(channel), easy_(curl_easy_init()) {
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(easy_, CURLOPT_TIMEOUT, kWholeSeconds);
  set(easy_, CURLOPT_ERRORBUFFER, error_.data());
  set(easy_, CURLOPT_FRESH_CONNECT, 1L);
  set(easy_, CURLOPT_FORBID_REUSE, 1L);
  set(easy_, CURLOPT_PROXY, "");  // nothing is taken from the environment
  set(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  set(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy_, CURLOPT_HEADERFUNCTION, &Transfer::hear);
  set(easy_, CURLOPT_HEADERDATA, this);
  // What a webhook answers beside its status is nobody's.
  set(
      easy_, CURLOPT_WRITEFUNCTION,
      +[](char*, std::size_t size, std::size_t count, void*) { return size * count; });
  std::visit([this](const auto& way) { prepare(way); }, channel_.way);
}

Transfer::~Transfer() {
  if (multi_ != nullptr) curl_multi_remove_handle(multi_, easy_);
  curl_easy_cleanup(easy_);
  curl_slist_free_all(recipients_);
  curl_slist_free_all(headers_);
}

void Transfer::prepare(const Mail& mail) {
  const bool v6 = mail.server.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + mail.server + "]" : mail.server;
  const std::string url =
      (mail.starttls ? "smtp://" : "smtps://") + host + ":" + std::to_string(mail.port);
  set(easy_, CURLOPT_PROTOCOLS_STR, mail.starttls ? "smtp" : "smtps");
  set(easy_, CURLOPT_URL, url.c_str());
  set(easy_, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!mail.user.empty()) {
    set(easy_, CURLOPT_USERNAME, mail.user.c_str());
    set(easy_, CURLOPT_PASSWORD, mail.password.c_str());
  }
  recipients_ = curl_slist_append(nullptr, mail.to.c_str());
  set(easy_, CURLOPT_MAIL_FROM, mail.from.c_str());
  set(easy_, CURLOPT_MAIL_RCPT, recipients_);
  set(easy_, CURLOPT_UPLOAD, 1L);
  set(easy_, CURLOPT_READFUNCTION, &Transfer::give);
  set(easy_, CURLOPT_READDATA, this);
  if (!mail.ca_file.empty()) {
    set(easy_, CURLOPT_CAINFO, mail.ca_file.c_str());
    set(easy_, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
}

void Transfer::prepare(const Webhook& webhook) {
  set(easy_, CURLOPT_PROTOCOLS_STR, "https");
  set(easy_, CURLOPT_URL, webhook.url.c_str());
  set(easy_, CURLOPT_POST, 1L);
  set(easy_, CURLOPT_USERAGENT, "sekisho-notify");
  if (!webhook.ca_file.empty()) {
    set(easy_, CURLOPT_CAINFO, webhook.ca_file.c_str());
    set(easy_, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
}

void Transfer::start(CURLM* multi, const notice::Message& message,
                     std::span<const notice::Notice> notices, Time now) {
  if (const auto* mail = std::get_if<Mail>(&channel_.way))
    load(*mail, message, now);
  else if (const auto* webhook = std::get_if<Webhook>(&channel_.way))
    load(*webhook, message, notices);
  given_ = 0;
  heard_.clear();
  error_.fill('\0');
  multi_ = multi;
  curl_multi_add_handle(multi_, easy_);
}

void Transfer::load(const Mail& mail, const notice::Message& message, Time now) {
  body_ = notice::mail_of(message, mail.from, mail.to, now);
}

void Transfer::load(const Webhook& webhook, const notice::Message& message,
                    std::span<const notice::Notice> notices) {
  body_ = notice::webhook_of(message, notices);
  curl_slist_free_all(headers_);
  headers_ = nullptr;
  const auto header = [this](const std::string& line) {
    headers_ = curl_slist_append(headers_, line.c_str());
  };
  header("Content-Type: application/json");
  header("Expect:");  // sent at once, without asking first
  header("Idempotency-Key: " + message.id);
  if (!webhook.secret.empty())
    header("Sekisho-Signature: sha256=" + signature(webhook.secret, body_));
  set(easy_, CURLOPT_HTTPHEADER, headers_);
  set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  set(easy_, CURLOPT_POSTFIELDS, body_.c_str());
}

Outcome Transfer::end(CURLcode code) {
  curl_multi_remove_handle(multi_, easy_);
  multi_ = nullptr;
  Outcome outcome = judge(code);
  outcome.why = notice::plain(outcome.why);
  return outcome;
}

Outcome Transfer::judge(CURLcode code) {
  using enum Outcome::What;
  long reply = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &reply);
  if (code == CURLE_OK && std::holds_alternative<Mail>(channel_.way)) return {.what = delivered};
  if (code == CURLE_OK) {
    if (reply >= 200 && reply <= 299) return {.what = delivered};
    return {.what = refused_for_good(reply) ? never : later,
            .why = "the server answers " + std::to_string(reply)};
  }
  std::string why(error_.data());
  if (why.empty()) why = curl_easy_strerror(code);
  if (std::holds_alternative<Webhook>(channel_.way)) return {.what = later, .why = why};
  if (reply >= 400 && !heard_.empty()) why += ": " + heard_;
  return {.what = refused_for_good(code, reply) ? never : later, .why = why};
}

std::size_t Transfer::give(char* into, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  const std::size_t bytes = std::min(size * count, self.body_.size() - self.given_);
  std::copy_n(self.body_.data() + self.given_, bytes, into);
  self.given_ += bytes;
  return bytes;
}

std::size_t Transfer::hear(char* line, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  std::string_view text(line, size * count);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  // Not the farewell that comes after it.
  if (text.starts_with('4') || text.starts_with('5')) self.heard_ = text.substr(0, kMostHeard);
  return size * count;
}

}  // namespace sekisho::notify
