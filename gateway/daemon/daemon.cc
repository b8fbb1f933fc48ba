#include "gateway/daemon/daemon.h"

#include <signal.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "gateway/daemon/log.h"
#include "gateway/daemon/random.h"
#include "gateway/daemon/zones.h"
#include "gateway/keys/keys.h"

namespace sekisho::daemon {

namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What has no notification (peers) is looked at this often, and everything this often; either takes
// at most a small share of the time, however large the gateway is.
constexpr milliseconds kTick{400};
constexpr seconds kLookAtEverything{30};
constexpr int kShareOfTime = 50;
constexpr seconds kLongestSleep{3600};

Time wall_clock() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

Errors listed(Error error) {
  return {std::move(error)};
}

// Readable (with ECANCELED) when somebody sets the wall clock: timerfd_create(2).
int open_clock_watch() {
  const int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  return fd;
}

bool arm_clock_watch(int fd) {
  itimerspec far{};
  far.it_value.tv_sec = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() +
                                                             std::chrono::hours(24 * 365));
  return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, nullptr) == 0;
}

}  // namespace

Daemon::Daemon(std::filesystem::path file, Config config)
    : file_(std::move(file)),
      config_(std::move(config)),
      signals_(context_, SIGTERM, SIGINT, SIGHUP),
      nftables_(context_),
      routes_(context_),
      clock_(context_),
      tick_timer_(context_),
      deadline_(context_) {}

Checked<std::unique_ptr<Daemon>> Daemon::start(std::filesystem::path file, Config config) {
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(file), std::move(config)));
  if (auto opened = daemon->open(); !opened) return std::unexpected(std::move(opened.error()));
  if (auto adopted = daemon->adopt_policy(); !adopted)
    return std::unexpected(std::move(adopted.error()));
  return daemon;
}

Checked<void> Daemon::open() {
  auto store = store::Store::open(config_.state, wall_clock());
  if (!store) return std::unexpected(listed(std::move(store.error())));
  store_ = std::make_unique<store::Store>(*std::move(store));
  auto random = random_bytes();
  if (!random) return std::unexpected(listed(std::move(random.error())));
  auto own_key = store_->gateway_key([&] { return make_private_key(*random); });
  random->fill(0);
  if (!own_key) return std::unexpected(listed(std::move(own_key.error())));
  auto box =
      Box::open(config_, *std::move(own_key), [this](const DeviceId& device, const PublicKey& key) {
        return store_->preshared_key(device, key);
      });
  if (!box) return std::unexpected(listed(std::move(box.error())));
  box_ = *std::move(box);
  executor_ = std::make_unique<Executor>(
      config_, *box_, *store_,
      [this](engine::RequestId, control::Reply reply) { reply_ = std::move(reply); });
  engine_ = std::make_unique<engine::Engine>(config_.network, load_time_zones());
  return {};
}

Checked<void> Daemon::adopt_policy() {
  auto active = store_->active();
  if (!active) return std::unexpected(listed(std::move(active.error())));
  auto space = store_->atom_space();
  if (!space) return std::unexpected(listed(std::move(space.error())));
  engine::Started started{.active = {}, .space = *std::move(space)};
  if (*active) {
    const store::RevisionInfo& info = (*active)->info;
    started.active = engine::Revision{.number = info.number,
                                      .document = (*active)->document,
                                      .author = info.author,
                                      .reason = info.reason,
                                      .time = info.time,
                                      .digest = info.digest,
                                      .state = "active"};
  }
  tell(std::move(started));
  if (!engine_->fatal().empty()) return std::unexpected(engine_->fatal());
  auto server = ControlServer::open(context_, config_.socket(),
                                    [this](const control::Actor& actor, control::Request request) {
                                      return ask(actor, std::move(request));
                                    });
  if (!server) return std::unexpected(listed(std::move(server.error())));
  server_ = *std::move(server);
  return {};
}

void Daemon::run() {
  wait_for_signals();
  nftables_.assign(dup(box_->nftables_fd()));
  routes_.assign(dup(box_->route_fd()));
  wait_for_changes(nftables_);
  wait_for_changes(routes_);
  clock_.assign(open_clock_watch());
  wait_for_clock();
  looked_at_everything_ = SteadyClock::now();
  tick();
  sd_notify(0, "READY=1");
  log(Severity::notice, "enforcing; control socket " + config_.socket().string());
  context_.run();
  sd_notify(0, "STOPPING=1");
  log(Severity::notice, "stopped; the policy stays in force");
}

// ---- commands and effects ----

void Daemon::tell(engine::Command command) {
  while (true) {
    const Time now = wall_clock();
    engine::Effects effects = engine_->handle(std::move(command), now);
    std::optional<engine::Outcome> outcome;
    for (engine::Effect& effect : effects) {
      if (engine::has_outcome(effect)) {
        outcome = executor_->execute(effect, now);
        if (!*outcome) log(Severity::error, to_string(outcome->error()));
      } else {
        executor_->conclude(std::move(effect), now);
      }
    }
    if (!outcome) break;
    command = engine::Completed{*std::move(outcome)};
  }
  arm_deadline();
}

control::Reply Daemon::ask(const control::Actor& actor, control::Request request) {
  reply_.reset();
  tell(engine::Asked{engine::RequestId(1), actor, std::move(request)});
  if (!reply_)
    return std::unexpected(
        Errors{{ErrorCode::failed, "sekishod", "gave no answer", {}, "look at its log"}});
  return *std::exchange(reply_, std::nullopt);
}

// ---- what wakes it ----

void Daemon::wait_for_signals() {
  signals_.async_wait([this](boost::system::error_code error, int signal) {
    if (error) return;
    if (signal != SIGHUP) return context_.stop();
    reload();
    wait_for_signals();
  });
}

void Daemon::wait_for_changes(asio::posix::stream_descriptor& descriptor) {
  descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                        [this, &descriptor](boost::system::error_code error) {
                          if (error) return;
                          auto by = box_->foreign_changes();
                          if (!by) log(Severity::error, to_string(by.error()));
                          if (!by || !by->empty())
                            look_at_everything(by ? joined(*by) : std::string());
                          wait_for_changes(descriptor);
                        });
}

void Daemon::wait_for_clock() {
  if (!arm_clock_watch(clock_.native_handle())) {
    log(Severity::error, std::string("the wall clock cannot be watched: ") + std::strerror(errno));
    return;
  }
  clock_.async_wait(
      asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
        if (error) return;
        std::uint64_t expirations = 0;
        const bool set = read(clock_.native_handle(), &expirations, sizeof expirations) < 0 &&
                         errno == ECANCELED;
        if (set) tell(engine::ClockStepped{});
        wait_for_clock();
      });
}

void Daemon::tick() {
  const auto began = SteadyClock::now();
  look_quickly();
  const auto took = SteadyClock::now() - began;
  tick_timer_.expires_after(std::max<SteadyClock::duration>(kTick, took * kShareOfTime));
  tick_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) tick();
  });
}

void Daemon::look_quickly() {
  auto found = box_->quick_differences(engine_->desired().peers);
  if (!found) {
    log(Severity::error, to_string(found.error()));
    found = std::vector<std::string>{to_string(found.error())};
  }
  if (!found->empty()) return tell(engine::Drifted{*std::move(found), {}});
  const auto began = SteadyClock::now();
  if (began < looked_at_everything_) return;
  look_at_everything({});
  const auto took = SteadyClock::now() - began;
  looked_at_everything_ =
      began + std::max<SteadyClock::duration>(kLookAtEverything, took * kShareOfTime);
}

void Daemon::look_at_everything(std::string by) {
  auto found = box_->differences(engine_->desired());
  if (!found) {
    log(Severity::error, to_string(found.error()));
    found = std::vector<std::string>{to_string(found.error())};
  }
  if (found->empty()) return;
  log(Severity::warning, "the kernel is not as it should be: " + joined(*found) +
                             (by.empty() ? "" : "; changed by " + by));
  tell(engine::Drifted{*std::move(found), std::move(by)});
}

void Daemon::arm_deadline() {
  const auto due = engine_->next_deadline();
  if (!due) {
    deadline_.cancel();
    return;
  }
  const auto left = *due - std::chrono::system_clock::now();
  deadline_.expires_after(
      std::clamp<SteadyClock::duration>(left, SteadyClock::duration::zero(), kLongestSleep));
  deadline_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    tell(engine::Woke{});
  });
}

// All of the new configuration or none of it.
void Daemon::reload() {
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
             static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        SteadyClock::now().time_since_epoch())
                                        .count()));
  const auto refuse = [](const Errors& errors) {
    for (const Error& error : errors) log(Severity::error, "not reloaded: " + to_string(error));
  };
  auto next = load_config(file_);
  if (!next) {
    refuse(next.error());
  } else if (next->network.interface != config_.network.interface || next->state != config_.state ||
             next->runtime != config_.runtime) {
    refuse({{ErrorCode::invalid,
             file_.string(),
             "the tunnel's interface and the paths cannot change while running",
             {},
             "restart sekishod"}});
  } else {
    Config before = std::exchange(config_, *std::move(next));
    box_->use_network();
    tell(engine::Reconfigured{config_.network, load_time_zones()});
    if (engine_->fatal().empty()) {
      log(Severity::notice, "reloaded " + file_.string());
    } else {
      refuse(engine_->fatal());
      config_ = std::move(before);
      box_->use_network();
    }
  }
  sd_notify(0, "READY=1");
}

}  // namespace sekisho::daemon
