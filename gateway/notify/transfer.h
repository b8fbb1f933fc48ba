#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gateway/notify/config.h"
#include "policy/base/time.h"

namespace sekisho::notify {

// What became of a message.
struct Outcome {
  enum class What {
    delivered,  // the server took it
    later,      // nobody took it, or somebody can mend what hinders: worth another attempt
    never       // the server refused this message for good
  };
  What what = What::later;
  std::string why = {};  // plain text; empty where delivered
};

// Sends one message at a time over one channel, by libcurl; certificates are always checked. Every
// transfer ends within a bounded time.
class Transfer {
 public:
  explicit Transfer(const Channel& channel);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  bool under_way() const { return multi_ != nullptr; }
  void start(CURLM* multi, const notice::Message& message, std::span<const notice::Notice> notices,
             Time now);
  bool is(const CURL* easy) const { return easy == easy_; }
  // Once libcurl says that it is done.
  Outcome end(CURLcode code);

 private:
  void prepare(const Mail& mail);
  void prepare(const Webhook& webhook);
  void load(const Mail& mail, const notice::Message& message, Time now);
  void load(const Webhook& webhook, const notice::Message& message,
            std::span<const notice::Notice> notices);
  Outcome judge(CURLcode code);
  static std::size_t give(char* into, std::size_t size, std::size_t count, void* transfer);
  static std::size_t hear(char* line, std::size_t size, std::size_t count, void* transfer);

  const Channel& channel_;
  CURL* easy_;
  CURLM* multi_ = nullptr;  // while it is under way
  curl_slist* recipients_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string body_;
  std::size_t given_ = 0;  // bytes of it
  std::string heard_;      // the mail server's refusal
  std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace sekisho::notify
