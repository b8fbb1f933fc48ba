#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/engine/command.h"
#include "gateway/engine/edit.h"
#include "gateway/engine/proof.h"
#include "policy/model/validate.h"

namespace sekisho::engine {

// The gateway's mind: commands in, effects out, no I/O and no clock, so that whole days with every
// failure can be played in milliseconds.
//
// A change goes: request -> next policy -> validate -> compile -> diff -> a plan of effects, done
// one by one. Where it only takes rights away the kernel comes first and the disk second; otherwise
// the disk first (as a pending revision), then the kernel, then the revision becomes the active
// one. It is acknowledged after both. If a step fails, the kernel is brought back to the active
// revision and the request is answered with the error: at no moment is more allowed than by the old
// or the new policy.
//
// Not thread-safe. While an effect with an outcome is under way (busy()) the only command is
// Completed.
class Engine {
 public:
  // `zones` are the time zones that grants may name.
  explicit Engine(Network network, TimeZones zones = {});

  // `now` is the wall clock.
  Effects handle(Command command, Time now);
  bool busy() const { return then_ != nullptr; }
  // Whether the kernel may not hold what it should; it is tried again until it does.
  bool degraded() const { return !degraded_.empty(); }
  // When Woke is due.
  std::optional<Time> next_deadline() const;

  // For the executor: what the kernel should hold now. Meaningless before Started was handled.
  const Network& network() const { return network_; }
  Desired desired() const { return {active_->compiler.compiled(), holds_, active_->peers}; }
  // Why Started or Reconfigured did nothing: what is stored does not fit the network. Empty: it
  // did.
  const Errors& fatal() const { return fatal_; }

 private:
  using Continuation = std::function<Effects(Outcome, Time)>;
  static constexpr const char* kStarting = "starting";

  // The policy in force; while a change is under way, the one that it leads to.
  struct Active {
    RevisionNumber revision;
    std::string author;
    ValidPolicy policy;
    Compiler compiler;
    Peers peers;                   // as they are since the last change or the last end of a person
    std::optional<Time> next_end;  // of a person
  };

  // A change under way, and what takes it back.
  struct Change {
    RequestId request;
    Entry entry;
    Edit edit;
    PolicyEdit undo;
    std::optional<Compiler> compiler_before;  // where destinations are cut anew
    std::optional<Peers> peers_before;        // where people or devices are edited
    std::optional<Time> next_end_before;      // there too
    std::optional<std::vector<Quarantine>> quarantines_before;  // where they catch more by it
    std::optional<Provisional> provisional;                     // once it is in force
    RevisionNumber revision;                                    // once it is stored
    std::vector<Effect> plan;
    std::size_t step = 0;
    Proof proof;
    bool kernel_touched = false;  // or tried to
    bool kernel_changed = false;
    bool activated = false;
  };
  using ChangePtr = std::shared_ptr<Change>;

  // What a device says of itself within a minute: with its token, and what was turned down.
  struct Heard {
    Time since = {};
    int taken = 0;
    int turned_down = 0;
  };

  // A hold being put on. Whatever of it fails, the rest is done.
  struct Containment {
    QuarantineTarget target;
    std::vector<Effect> steps = {};
    std::size_t step = 0;
    std::function<std::vector<Effect>(Time)> rest = {};  // steps, once those before are done
    bool installed = false;                              // all of the tables, once
    Proof proof;
    Errors errors;
    std::optional<Entry> notice = {};  // what people outside are told of
    std::function<Effects(const Containment&, Time)> then;
  };
  using ContainmentPtr = std::shared_ptr<Containment>;
  using AfterContainment = std::function<Effects(const Containment&, Time)>;

  Effects await(Effect effect, Continuation then);
  Effects answer(RequestId request, control::Reply reply);

  Effects start(const Started& started, Time now);
  Effects install();
  Effects install(Continuation then);
  Effects install_rules(Continuation then);
  Effects enforce(Time now);
  Effects ask(const Asked& asked, Time now);
  // `compiled` is of this policy, at whatever time; null where it is not the policy of now.
  using Question =
      std::function<Checked<Node>(const ValidPolicy&, const Compiled* compiled, Time at)>;
  Effects look(const Asked& asked, Time now);
  Effects look_back(const Asked& asked, Time now, const Question& question);
  Effects compare(const Asked& asked, Time now);
  Effects look_outside(const Asked& asked);
  Effects change(const Asked& asked, Time now);
  Effects change_object(const Asked& asked, Time now);
  Effects change_back(const Asked& asked, Time now);
  Effects begin(const Asked& asked, Checked<Edit> edit, Time now);
  Effects proceed(const ChangePtr& change, Time now);
  Effects finish(const ChangePtr& change, Time now);
  Effects undo(const ChangePtr& change, Error error, Time now);
  bool take_back(Change& change, Time now);
  Effects reject(const Asked& asked, Entry entry, Errors errors);
  Effects quarantine(const Asked& asked, Time now);
  Effects add_quarantine(const Asked& asked, Time now);
  void succeed_former(Quarantine& quarantine, Entry& entry) const;
  Effects contain(Quarantine quarantine, Entry entry, AfterContainment then, Time now);
  void install_held(Containment& containment);
  TablesDiff held_of(const Quarantine& quarantine) const;
  Effects go_on(const ContainmentPtr& containment, Time now);
  PurgeFlows what_flows(const Quarantine& quarantine) const;
  Effects release_quarantine(const Asked& asked, Time now);
  Effects let_go(const Asked& asked, const Quarantine& quarantine, Time now);
  Effects drill(const Asked& asked);
  Effects retry();
  void owe(StoreQuarantine store);
  bool is_owed(const QuarantineTarget& target) const;
  void settle_debt(const Quarantine& stored);
  void hold(std::vector<Quarantine> quarantines);
  TablesDiff in_kernel(const TablesDiff& diff);
  TablesDiff add_hold(const Quarantine& quarantine);
  std::vector<Effect> catch_more(const Entry& why);
  const Quarantine* find_quarantine(const QuarantineTarget& target) const;
  void catch_all(Quarantine& quarantine) const;

  Effects flag(const Asked& asked, Time now);
  Effects make_token(const Asked& asked);
  Effects add_flag(const Asked& asked, Time now);
  Effects hear_device(const Asked& asked, Time now);
  Effects recognise(const Asked& asked, Flag flag, Time now);
  Effects weigh(const Asked& asked, Flag flag, Time now);
  Heard& heard(const DeviceId& device, Time now);
  bool is_repeated(const Flag& before, const Flag& flag, Time now) const;
  bool is_held(const Quarantine& quarantine) const;
  Effects keep_flag(const Asked& asked, const Flag& flag, std::optional<Node> proof);
  Effects act_on(const Asked& asked, Flag flag, Quarantine quarantine, Time now);
  Effects decide_flag(const Asked& asked);
  Effects act(const Asked& asked, const Flag& flag, const Entry& entry, Time now);
  Effects dismiss(const Asked& asked, const Flag& flag, const Entry& entry);
  Effects settle(const Asked& asked, const Flag& before, const Flag& after, const Entry& entry,
                 const std::optional<Node>& proof);
  std::optional<std::string> why_ask_first(const Flag& flag, const Quarantine& quarantine,
                                           Time now) const;

  Quarantined held_at(const control::Request& request) const;
  Effects offboard(const Asked& asked, Time now);
  Effects confirm(const Asked& asked);
  Effects return_unconfirmed(Time now);
  Effects end_trial(const Asked& asked, const std::string& reason, Time now);
  std::optional<std::string> overdue(Time now) const;
  std::optional<Error> why_not_now(const Asked& asked) const;
  Result<std::optional<Provisional>> provisional_after(const Asked& asked, Time now) const;
  void set_provisional(std::optional<Provisional> provisional, Time now);
  Effects wake(Time now);
  Effects load(TablesDiff tables, ChangePeers peers);
  Effects load(TablesDiff tables, ChangePeers peers, Continuation then);
  ChangePeers peers_now(Time now);
  Effects renew(Time now);
  Effects count_ends_anew(Time now);
  Effects repair(const Drifted& drifted);
  Effects reconfigure(Reconfigured again, Time now);
  Effects see(Seen seen, Time now);
  Effects test_notify(const Asked& asked);
  Effects degrade(std::string why, Time now);
  Effects degrade(std::string why, Time now, Entry entry);

  Result<Active> compile_active(ValidPolicy policy, Time now, Compiled before) const;
  void follow_people(Time now);
  Node status(const std::vector<PeerStatus>& peers, Time now) const;

  Network network_;
  TimeZones zones_;
  std::optional<Active> active_;
  Errors fatal_;
  bool tables_known_ = false;         // the kernel's are those of active_: a diff may be applied
  std::optional<Entry> unfinished_;   // of a pending revision that the disk would not abandon
  std::string degraded_ = kStarting;  // why the kernel may not hold what it should; empty: it does
  std::optional<Time> retry_at_;
  std::uint64_t repairs_ = 0;
  std::optional<Time> last_repair_;
  std::optional<Time> compared_;           // all of the kernel, with what it shall hold
  std::vector<Quarantine> quarantines_;    // in force
  Quarantined quarantined_;                // what they come to
  Holds holds_;                            // where that is by the policy in force
  std::vector<StoreQuarantine> unstored_;  // one of a target; the disk has yet to take them
  std::vector<AutomaticQuarantine> automatic_;
  std::size_t flags_asking_ = 0;
  std::map<DeviceId, Heard> heard_;  // from devices themselves
  Moment moment_;                    // of the command in hand, where it tells one
  Moment asked_at_;                  // when the request in hand had come in
  std::optional<Provisional> provisional_;
  std::optional<Time> return_at_;  // where nobody confirms it
  notice::Outlook outbox_;
  bool outbox_seen_ = false;
  std::optional<Time> away_since_;  // sekisho-notify does not run
  std::string hindered_;            // why notices do not arrive; empty: they do
  std::optional<Time> failure_told_;
  Continuation then_;
};

// The devices that may hold a tunnel at `now`: of people in good standing, and not cut off.
Peers peers_of(const Policy& policy, const Quarantined& quarantined, Time now);

}  // namespace sekisho::engine
