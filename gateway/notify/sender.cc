#include "gateway/notify/sender.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "gateway/journal/journal.h"

namespace sekisho::notify {

namespace {

using journal::log;
using journal::Severity;
using notice::Instant;

// What no notification told of is found so often.
constexpr Instant kLook{30'000};
constexpr Instant kAfterTrouble{2'000};

Instant instant() {
  return std::chrono::duration_cast<Instant>(std::chrono::steady_clock::now().time_since_epoch());
}

Time wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

std::string counted(std::size_t notices, const std::vector<std::string>& ids) {
  return notices == 1 ? ids.front() : std::to_string(notices) + " notices to " + ids.back();
}

}  // namespace

Sender::Sender(const Config& config, outbox::Queue queue)
    : config_(config), queue_(std::move(queue)), multi_(curl_multi_init()) {
  report_ = queue_.report();
  const auto before = std::exchange(report_.channels, {});
  for (const Channel& channel : config_.channels) {
    lines_.push_back(std::make_unique<Line>(channel, config_.most_per_minute));
    const auto known = std::ranges::find(before, channel.name, &notice::ChannelReport::name);
    report_.channels.push_back(known != before.end() ? *known : notice::ChannelReport{});
    report_.channels.back().name = channel.name;
  }
  report_.trouble.clear();
}

Sender::~Sender() {
  lines_.clear();
  curl_multi_cleanup(multi_);
}

bool Sender::run(int stop) {
  if (!write_report()) return false;
  while (true) {
    collect();
    for (std::size_t channel = 0; channel < lines_.size(); ++channel) feed(channel);
    write_report();
    std::array<curl_waitfd, 2> others{curl_waitfd{stop, CURL_WAIT_POLLIN, 0},
                                      curl_waitfd{queue_.fd(), CURL_WAIT_POLLIN, 0}};
    curl_multi_poll(multi_, others.data(), others.size(), milliseconds_left(), nullptr);
    if (others.front().revents != 0) return true;
    int running = 0;
    curl_multi_perform(multi_, &running);
    hear();
    settle();
  }
}

void Sender::collect() {
  auto fresh = queue_.arrivals([this](const std::string& id) { return waiting_.contains(id); });
  const std::size_t bad = queue_.put_aside();
  if (!fresh) return told(std::unexpected(std::move(fresh.error())));
  if (bad > bad_seen_) {
    log(Severity::warning, std::to_string(bad - bad_seen_) +
                               " files in the outbox were no notices: put aside in bad/");
    report_.bad += bad - std::exchange(bad_seen_, bad);
  }
  if (fresh->empty()) return;
  const auto marks = queue_.marks();
  if (!marks) told(std::unexpected(marks.error()));
  for (notice::Notice& notice : *fresh) {
    const std::string id = notice.id;
    Waiting waiting{.notice = std::move(notice), .legs = std::vector<Leg>(lines_.size())};
    const auto found = marks ? marks->find(id) : outbox::Queue::Marks::const_iterator();
    for (std::size_t i = 0; marks && found != marks->end() && i < lines_.size(); ++i) {
      const auto done = found->second.find(config_.channels[i].name);
      if (done != found->second.end())
        waiting.legs[i].state = done->second ? State::delivered : State::given_up;
    }
    waiting_.emplace(id, std::move(waiting));
  }
  settle();
}

void Sender::feed(std::size_t channel) {
  Line& line = *lines_[channel];
  if (line.transfer.under_way()) return;
  const Instant now = instant();
  std::vector<const Waiting*> due;
  for (const auto& [id, waiting] : waiting_) {
    const Leg& leg = waiting.legs[channel];
    if (leg.state == State::pending && leg.due <= now) due.push_back(&waiting);
  }
  due.resize(line.pace.next(due.size(), now));
  if (due.empty()) return;
  line.pace.sent(now);
  std::vector<notice::Notice> notices;
  line.under_way.clear();
  for (const Waiting* each : due) {
    notices.push_back(each->notice);
    line.under_way.push_back(each->notice.id);
  }
  line.transfer.start(multi_, notice::message_of(notices, config_.language), notices, wall_clock());
}

void Sender::hear() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURL* const easy = message->easy_handle;
    const CURLcode code = message->data.result;  // gone once the transfer has ended
    for (std::size_t channel = 0; channel < lines_.size(); ++channel) {
      if (lines_[channel]->transfer.is(easy))
        conclude(channel, lines_[channel]->transfer.end(code));
    }
  }
}

void Sender::conclude(std::size_t channel, const Outcome& outcome) {
  const auto ids = std::exchange(lines_[channel]->under_way, {});
  notice::ChannelReport& report = report_.channels[channel];
  const Time now = wall_clock();
  if (outcome.what == Outcome::What::delivered) {
    for (const std::string& id : ids) {
      waiting_.at(id).legs[channel].state = State::delivered;
      mark(id, channel, true);
    }
    report.delivered += ids.size();
    report.last_delivery = now;
    report.last_error.clear();
    report.last_error_time.reset();
    log(Severity::info, report.name + ": delivered " + counted(ids.size(), ids));
    // The way is open: what waits for another attempt waits no longer.
    for (auto& [id, waiting] : waiting_) waiting.legs[channel].due = {};
    return;
  }
  if (report.last_error != outcome.why)
    log(Severity::warning, report.name + ": not delivered: " + outcome.why);
  report.last_error = outcome.why;
  report.last_error_time = now;
  for (const std::string& id : ids) {
    Waiting& waiting = waiting_.at(id);
    Leg& leg = waiting.legs[channel];
    const double chance = std::uniform_real_distribution<>(0.0, 1.0)(random_);
    leg.due = instant() + notice::pause_after(++leg.attempts, chance);
    if (outcome.what == Outcome::What::never)
      give_up(id, channel, outcome.why);
    else if (now - waiting.notice.time >= config_.give_up_after)
      give_up(id, channel, "too old: " + outcome.why);
  }
}

void Sender::give_up(const std::string& id, std::size_t channel, const std::string& why) {
  waiting_.at(id).legs[channel].state = State::given_up;
  mark(id, channel, false);
  ++report_.channels[channel].failed;
  log(Severity::error, report_.channels[channel].name + ": gave up on " + id + ": " + why);
}

void Sender::mark(const std::string& id, std::size_t channel, bool delivered) {
  told(queue_.mark(id, config_.channels[channel].name, delivered));
}

// What is done on every channel leaves the queue.
void Sender::settle() {
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    const auto& legs = each->second.legs;
    if (std::ranges::count(legs, State::pending, &Leg::state) > 0) {
      ++each;
      continue;
    }
    auto done =
        queue_.finish(each->first, std::ranges::count(legs, State::given_up, &Leg::state) > 0);
    if (done)
      each = waiting_.erase(each);
    else
      ++each;
    told(std::move(done));
  }
}

bool Sender::write_report() {
  if (written_ == report_) return true;
  const auto done = queue_.write(report_);
  if (done)
    written_ = report_;
  else
    complain(to_string(done.error()));
  return done.has_value();
}

// What hinders it stands in the report until it succeeds again.
void Sender::told(Result<void> done) {
  report_.trouble = done ? "" : to_string(done.error());
  if (!done) complain(report_.trouble);
}

// What is met again at every attempt is said once.
void Sender::complain(const std::string& text) {
  if (std::exchange(complained_, text) != text) log(Severity::error, text);
}

int Sender::milliseconds_left() const {
  const Instant now = instant();
  Instant next = written_ == report_ ? now + kLook : now + kAfterTrouble;
  for (std::size_t channel = 0; channel < lines_.size(); ++channel) {
    const Line& line = *lines_[channel];
    if (line.transfer.under_way()) continue;
    std::optional<Instant> due;
    for (const auto& [id, waiting] : waiting_) {
      const Leg& leg = waiting.legs[channel];
      if (leg.state == State::pending) due = due ? std::min(*due, leg.due) : leg.due;
    }
    if (due) next = std::min(next, std::max(*due, line.pace.again().value_or(Instant{})));
  }
  return static_cast<int>(std::clamp(next - now, Instant{0}, kLook).count());
}

}  // namespace sekisho::notify
