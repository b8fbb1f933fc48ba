#include "gateway/daemon/daemon.h"

#include <malloc.h>
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
constexpr seconds kLookAfterChange{1};  // what was read back then was what was touched
constexpr int kShareOfTime = 20;        // 1 part in so many; with 10 000 devices a look is 40 ms
constexpr seconds kLongestSleep{3600};
constexpr std::chrono::days kRememberAutomatic{7};  // the longest window that the guard can have
constexpr seconds kTellOutlook{10};  // though nothing changed: what stays so is a finding in time

Time wall_clock() {
  return std::chrono::floor<seconds>(std::chrono::system_clock::now());
}

engine::Moment moment() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
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
      deadline_(context_),
      look_(context_) {}

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
  config_.network.gateway_key = public_key_of(*own_key);
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
  auto provisional = store_->provisional();
  if (!provisional) return std::unexpected(listed(std::move(provisional.error())));
  auto quarantines = store_->quarantines();
  if (!quarantines) return std::unexpected(listed(std::move(quarantines.error())));
  const auto automatic = store_->automatic_quarantines(wall_clock() - kRememberAutomatic);
  if (!automatic) return std::unexpected(listed(automatic.error()));
  const auto asking = store_->flags_asking();
  if (!asking) return std::unexpected(listed(asking.error()));
  engine::Started started{.active = {}, .space = *std::move(space)};
  started.quarantines = *std::move(quarantines);
  started.flags_asking = *asking;
  for (const auto& each : *automatic) started.automatic.push_back({each.since, each.devices});
  if (const auto& on_trial = *provisional) {
    started.provisional = {.back_to = on_trial->back_to,
                           .until = on_trial->until,
                           .length = on_trial->length,
                           .author = on_trial->author,
                           .cuts = on_trial->cuts};
  }
  if (*active) {
    const store::RevisionInfo& info = (*active)->info;
    started.active = engine::Revision{.number = info.number,
                                      .document = std::move((*active)->document),
                                      .edits = std::move((*active)->edits),
                                      .author = info.author,
                                      .reason = info.reason,
                                      .time = info.time,
                                      .digest = info.digest,
                                      .state = "active"};
  }
  // Before anything is loaded: where nobody could ask, nothing is begun. Who calls meanwhile waits.
  const auto answer = [this](const control::Actor& actor, control::Request request) {
    return ask(actor, std::move(request));
  };
  auto server = ControlServer::open(context_, config_.socket(), Audience::people, answer);
  if (!server) return std::unexpected(listed(std::move(server.error())));
  server_ = *std::move(server);
  auto portal = ControlServer::open(context_, config_.portal_socket(), Audience::portal, answer);
  if (!portal) return std::unexpected(listed(std::move(portal.error())));
  portal_server_ = *std::move(portal);
  tell(std::move(started));
  if (!engine_->fatal().empty()) return std::unexpected(engine_->fatal());
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
  look_at_everything_at_ = SteadyClock::now() + kLookAtEverything;
  tick();
  malloc_trim(0);  // what reading the stored policy took
  sd_notify(0, "READY=1");
  log(Severity::notice, "enforcing; control socket " + config_.socket().string());
  context_.run();
  sd_notify(0, "STOPPING=1");
  log(Severity::notice, "stopped; the policy stays in force");
}

// ---- commands and effects ----

void Daemon::tell(engine::Command command) {
  const bool was_degraded = engine_->degraded();
  while (true) {
    const Time now = wall_clock();
    engine::Effects effects = engine_->handle(std::move(command), now);
    std::optional<engine::Outcome> outcome;
    for (engine::Effect& effect : effects) {
      if (engine::has_outcome(effect)) {
        if (engine::touches_kernel(effect)) ++kernel_changes_;
        outcome = executor_->execute(effect, now);
        if (!*outcome) complain(Severity::error, to_string(outcome->error()));
        if (std::holds_alternative<engine::ChangeTables>(effect)) look_soon();
      } else {
        executor_->conclude(std::move(effect), now);
      }
    }
    if (!outcome) break;
    command = engine::Completed{*std::move(outcome), moment()};
  }
  // An outage is over: what comes back later is told anew.
  if (was_degraded && !engine_->degraded()) complained_.clear();
  arm_deadline();
}

void Daemon::look_soon() {
  const auto soon = std::max(SteadyClock::now() + kLookAfterChange, may_look_at_everything_at_);
  look_at_everything_at_ = std::min(look_at_everything_at_, soon);
}

control::Reply Daemon::ask(const control::Actor& actor, control::Request request) {
  reply_.reset();
  const bool whole = request.parameters.find("document") != nullptr;
  tell(engine::Asked{engine::RequestId(1), actor, std::move(request), moment()});
  if (whole) malloc_trim(0);  // it may have been the whole policy
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
  const bool everything = SteadyClock::now() >= look_at_everything_at_;
  if (auto known = box_->know(engine_->desired().peers()); !known) {
    complain(Severity::error, to_string(known.error()));
  }
  look_.start(
      [this, everything]() -> Result<Differences> {
        const auto box = Box::beside(std::move(*box_));
        if (!box) return std::unexpected(box.error());
        Differences found;
        const engine::Desired desired = engine_->desired();
        if (everything) {
          auto rules = (*box)->rule_differences(desired);
          if (!rules) return std::unexpected(std::move(rules.error()));
          found.rules = *std::move(rules);
        }
        auto rest = (*box)->quick_differences(desired.peers());
        if (!rest) return std::unexpected(std::move(rest.error()));
        found.rest = *std::move(rest);
        return found;
      },
      [this, everything, changes = kernel_changes_](Result<Differences> found,
                                                    std::chrono::nanoseconds worked) {
        // What we changed meanwhile ourselves is no drift; the next look tells.
        const bool still_ours = changes == kernel_changes_;
        if (still_ours) looked(std::move(found), everything, worked);
        look_at_outbox();
        tick_timer_.expires_after(
            std::max<SteadyClock::duration>(kTick, still_ours ? worked * kShareOfTime : worked));
        tick_timer_.async_wait([this](boost::system::error_code error) {
          if (!error) tick();
        });
      });
}

void Daemon::looked(Result<Differences> found, bool everything, std::chrono::nanoseconds worked) {
  if (everything) {
    may_look_at_everything_at_ = SteadyClock::now() + worked * kShareOfTime;
    look_at_everything_at_ =
        std::max(SteadyClock::now() + kLookAtEverything, may_look_at_everything_at_);
  }
  if (!found) {
    drifted(std::unexpected(std::move(found.error())), {});
    return;
  }
  const bool rules = drifted(std::move(found->rules), {}, true);
  const bool rest = drifted(std::move(found->rest), {});
  if (everything && !rules && !rest) tell(engine::Compared{});
}

void Daemon::look_at_outbox() {
  auto outlook = executor_->outlook();
  if (outlook == outlook_ && SteadyClock::now() < tell_outlook_at_) return;
  tell_outlook_at_ = SteadyClock::now() + kTellOutlook;
  outlook_ = outlook;
  tell(engine::Seen{std::move(outlook)});
}

bool Daemon::look_at_everything(std::string by) {
  // Traffic waits for the rules, and a look at many peers takes as long as loading them.
  const bool rules = drifted(box_->rule_differences(engine_->desired()), by, true);
  return drifted(box_->quick_differences(engine_->desired().peers()), std::move(by)) || rules;
}

// What cannot be read may be anything, so it is made right too. Returns whether there was any.
bool Daemon::drifted(Result<std::vector<std::string>> found, std::string by, bool rules_alone) {
  if (!found) found = std::vector<std::string>{to_string(found.error())};
  if (found->empty()) {
    // Peers that are right say nothing of rules that the kernel keeps refusing.
    if (!engine_->degraded()) complained_.clear();
    return false;
  }
  complain(Severity::warning, "the kernel is not as it should be: " + joined(*found) +
                                  (by.empty() ? "" : "; changed by " + by));
  tell(engine::Drifted{*std::move(found), std::move(by), rules_alone});
  return true;
}

// What stays wrong is met again at every look, and told once.
void Daemon::complain(Severity severity, const std::string& text) {
  if (!complained_.insert(text).second) return;
  log(severity, text);
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
  } else if (next->network.interface != config_.network.interface ||
             next->own_table != config_.own_table || next->state != config_.state ||
             next->runtime != config_.runtime || next->outbox != config_.outbox) {
    refuse({{ErrorCode::invalid,
             file_.string(),
             "the tunnel's interface, own_table and the paths cannot change while running",
             {},
             "restart sekishod"}});
  } else {
    next->network.gateway_key = config_.network.gateway_key;
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
