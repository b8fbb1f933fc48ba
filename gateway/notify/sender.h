#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gateway/notice/delivery.h"
#include "gateway/notice/schedule.h"
#include "gateway/notify/config.h"
#include "gateway/notify/transfer.h"
#include "gateway/outbox/queue.h"

namespace sekisho::notify {

// Takes notices out of the outbox and sends each over every channel, whichever of them are slow or
// down. A notice that is done with a channel is marked so on the disk before anything else happens:
// what is lost by a crash is at most that mark, and then it is sent once more under the same id.
class Sender {
 public:
  // `config` must outlive it.
  Sender(const Config& config, outbox::Queue queue);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender();

  // Until `stop` is readable. What is under way then is sent again at the next start. False where
  // the outbox cannot be written at the start.
  bool run(int stop);

 private:
  enum class State { pending, delivered, given_up };
  // Of a notice on a channel.
  struct Leg {
    State state = State::pending;
    int attempts = 0;
    notice::Instant due{};
  };
  struct Waiting {
    notice::Notice notice;
    std::vector<Leg> legs;  // as config_.channels
  };
  struct Line {
    explicit Line(const Channel& channel, std::size_t most_per_minute)
        : transfer(channel), pace(most_per_minute) {}
    Transfer transfer;
    notice::Pace pace;
    std::vector<std::string> under_way;  // ids
  };

  void collect();
  void feed(std::size_t channel);
  void hear();
  void conclude(std::size_t channel, const Outcome& outcome);
  void give_up(const std::string& id, std::size_t channel, const std::string& why);
  void mark(const std::string& id, std::size_t channel, bool delivered);
  void settle();
  bool write_report();
  void told(Result<void> done);
  void complain(const std::string& text);
  int milliseconds_left() const;

  const Config& config_;
  outbox::Queue queue_;
  CURLM* multi_;
  std::vector<std::unique_ptr<Line>> lines_;  // as config_.channels
  std::map<std::string, Waiting> waiting_;    // by id, so in order
  notice::Report report_;
  std::optional<notice::Report> written_;
  std::string complained_;
  std::size_t bad_seen_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace sekisho::notify
