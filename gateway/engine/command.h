#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "gateway/control/message.h"
#include "gateway/notice/delivery.h"
#include "gateway/notice/notice.h"
#include "policy/base/time_zone.h"
#include "policy/compile/compile.h"
#include "policy/compile/diff.h"
#include "policy/compile/holds.h"
#include "policy/explain/live_flows.h"
#include "policy/model/flag.h"
#include "policy/model/policy.h"
#include "policy/model/quarantine.h"
#include "policy/model/revision.h"

// What goes into the engine and what comes out of it, as values. The engine touches nothing itself:
// whoever runs it executes each effect in order and hands the outcome back.
namespace sekisho::engine {

using RequestId = StrongNumber<struct RequestTag, std::uint64_t>;

// A device that may hold a tunnel.
struct Peer {
  DeviceId device;
  PublicKey public_key;
  std::vector<IpAddress> addresses;
  bool operator==(const Peer&) const = default;
};
using Peers = std::vector<Peer>;  // sorted by device

// When something happened, by the wall clock, as exactly as it is told.
using Moment = std::chrono::sys_time<std::chrono::microseconds>;

// Everything the kernel shall be; a look into the engine, good until its next command. The rules
// follow from the network, which the executor holds.
class Desired {
 public:
  Desired(const Compiled& compiled, const Holds& holds, const Peers& peers)
      : compiled_(&compiled), holds_(&holds), peers_(&peers) {}
  const AtomSpace& space() const { return compiled_->space; }
  // With the holds of quarantine. Made for the caller where there are any: ask once.
  std::shared_ptr<const Tables> tables() const;
  const Peers& peers() const { return *peers_; }

 private:
  const Compiled* compiled_;
  const Holds* holds_;
  const Peers* peers_;
};

// The daemon itself, where nobody asked.
extern const control::Actor kGateway;

// One line of the operation record.
struct Entry {
  control::Actor actor;
  std::string operation;
  std::string object;
  std::string before = {};
  std::string after = {};
  std::string reason = {};
  std::string result = "ok";
};

struct Revision {
  RevisionNumber number;
  std::string document;            // TOML
  std::vector<std::string> edits;  // of that document, in order
  std::string author;
  std::string reason;
  Time time = {};
  std::string digest;
  std::string state;
};

// The policy in force is on trial: it returns to that of `back_to` (none: to no policy) unless
// somebody confirms it by `until`.
struct Provisional {
  RevisionNumber back_to;
  Time until = {};
  std::chrono::seconds length{};  // from its beginning to `until`
  std::string author;
  std::vector<std::string> cuts;  // "device.phone": cut off during the trial, and stays so
  bool operator==(const Provisional&) const = default;
};

// Devices that were quarantined without anybody's order, and when.
struct AutomaticQuarantine {
  Time since = {};
  std::vector<DeviceId> devices;
};

// A device as the ledger of all devices ever must know it.
struct Registration {
  DeviceId device;
  PublicKey public_key;
  std::vector<IpAddress> addresses;
  bool key_made_at_gateway = false;
};

// What a revision means for that ledger; removals first.
struct DeviceChange {
  std::vector<DeviceId> remove;
  std::vector<Registration> add;
};

// What a tunnel looks like now.
struct PeerStatus {
  PublicKey public_key;
  std::string endpoint;
  std::optional<Time> last_handshake;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
};

// What doctor found.
struct Finding {
  std::string subject;
  bool good = false;
  std::string finding;
  std::string mend;  // the command or act that mends it; empty where good
};

// ---- effects ----

// Each of these has an outcome that comes back as Completed.
// Whatever the kernel holds now. First no peer stays with an address whose rights are another's:
// new rules are not for it. Then rules, tables and live flows; by OpenTunnel all else: routes,
// peers, forwarding.
struct Install {
  Desired desired;
};
struct OpenTunnel {
  Desired desired;
};
struct ChangeTables {
  TablesDiff diff;
};  // outcome: std::size_t, elements read back
// Reads back what `held` puts in and takes out, as if it had just been done, and changes nothing.
struct ConfirmTables {
  TablesDiff held;
};  // outcome as of ChangeTables; an error where the kernel has it otherwise
struct Remark {
  AtomSpace space;
};  // live flows whose number is not in `space`
struct ChangePeers {
  std::vector<PublicKey> remove;  // first
  Peers set;
};
// Which entries of the connection table go: of flows that touch one of these tunnel addresses, that
// carry one of these atoms, or all of the tunnel's; but never one that carries an atom of `keep`.
struct PurgeFlows {
  std::set<IpAddress> addresses = {};
  std::set<AtomMark> atoms = {};
  bool all = false;
  std::set<AtomMark> keep = {};
};  // outcome: std::size_t, how many went
struct FindAddresses {
  std::vector<IpAddress> taken;
};  // outcome: addresses never used before
struct StorePending {
  std::string edit;      // write_edit(): what it changes in `base`
  const Policy* policy;  // the whole of it; good until the next command
  std::string author, reason;
  RevisionNumber base;
  std::optional<AtomSpace> space;  // none: that of `base`
};  // outcome: RevisionNumber
struct Activate {
  DeviceChange devices;
  Entry entry;
  std::optional<Provisional> provisional = {};  // from then on
};  // the pending revision
struct Confirm {
  Entry entry;
};  // nothing is on trial any more
struct Abandon {
  Entry entry;
};  // the pending revision, if there is one
struct StoreQuarantine {
  Quarantine quarantine;  // in the place of the one in force of its target
  Entry entry;
};
struct StoreRelease {
  QuarantineTarget target;
  std::string finding;
  Entry entry;
};
struct ReadPastQuarantines {
  std::size_t limit;
};  // outcome: Node
struct StoreFlag {
  Flag flag;  // but for its number
  Entry entry;
};  // outcome: FlagNumber
struct FindFlag {
  DeviceId device;
  PersonId person;
  std::string source;
  std::string key;
};  // outcome: optional<Flag>
struct ReadFlag {
  FlagNumber number;
};  // outcome: optional<Flag>
struct ReadFlags {
  std::size_t limit;
};  // outcome: vector<Flag>
struct SetFlag {
  FlagNumber number;
  FlagState state;
  std::string outcome;
  Entry entry;
};
// Makes a new token for the device, in the place of the one before; of it only a hash is kept.
struct MakeToken {
  DeviceId device;
  Entry entry;
};  // outcome: std::string, the token
struct FindToken {
  std::string token;
};  // outcome: optional<DeviceId>
struct ReadRevision {
  RevisionNumber number;
};  // outcome: Revision
struct ReadRevisionAt {
  Time at;
};  // outcome: Revision, the one that was in force then
struct ReadHistory {
  std::size_t limit;
};  // outcome: vector<Revision>, documents left empty
struct ReadPeers {};  // outcome: vector<PeerStatus>, sorted by key
struct ReadFlows {};  // outcome: vector<LiveFlow>
struct Examine {
  Desired desired;
};  // outcome: vector<Finding>
struct ReadOperations {
  std::size_t limit;
};  // outcome: Node
struct VerifyOperations {};  // outcome: Node
struct SendTest {
  notice::Notice notice;
};  // outcome: Node, the id it got

// These have none.
struct Record {
  Entry entry;
};
// Puts it into the outbox; made by notice_of().
struct Notify {
  notice::Notice notice;
};
struct Answer {
  RequestId request;
  control::Reply reply;
};
// Answers with `result` and, in its member "profile", the device's WireGuard profile. The executor
// adds that, since the engine never holds a preshared key.
struct AnswerWithProfile {
  RequestId request;
  DeviceId device;
  PublicKey public_key;
  std::vector<IpAddress> addresses;
  Node result;
};

using Effect =
    std::variant<Install, OpenTunnel, ChangeTables, ConfirmTables, Remark, ChangePeers, PurgeFlows,
                 FindAddresses, StorePending, Activate, Confirm, Abandon, StoreQuarantine,
                 StoreRelease, ReadPastQuarantines, StoreFlag, FindFlag, ReadFlag, ReadFlags,
                 SetFlag, MakeToken, FindToken, ReadRevision, ReadRevisionAt, ReadHistory,
                 ReadPeers, ReadFlows, Examine, ReadOperations, VerifyOperations, SendTest, Record,
                 Notify, Answer, AnswerWithProfile>;
using Effects = std::vector<Effect>;  // at most one has an outcome, and it is the last

// Whether an outcome comes back for it.
inline bool has_outcome(const Effect& effect) {
  return !std::holds_alternative<Record>(effect) && !std::holds_alternative<Notify>(effect) &&
         !std::holds_alternative<Answer>(effect) &&
         !std::holds_alternative<AnswerWithProfile>(effect);
}

// Whether it changes what the kernel holds, or tries to.
inline bool touches_kernel(const Effect& effect) {
  return std::holds_alternative<Install>(effect) || std::holds_alternative<OpenTunnel>(effect) ||
         std::holds_alternative<ChangeTables>(effect) || std::holds_alternative<Remark>(effect) ||
         std::holds_alternative<ChangePeers>(effect);
}

using Outcome =
    Result<std::variant<std::monostate, std::vector<IpAddress>, RevisionNumber, Revision,
                        std::vector<Revision>, std::vector<PeerStatus>, std::vector<LiveFlow>,
                        std::vector<Finding>, Node, std::size_t, FlagNumber, std::optional<Flag>,
                        std::vector<Flag>, std::string, std::optional<DeviceId>>>;

// ---- commands ----

struct Started {
  std::optional<Revision> active;
  AtomSpace space;
  std::optional<Provisional> provisional = {};
  std::vector<Quarantine> quarantines = {};         // in force
  std::vector<AutomaticQuarantine> automatic = {};  // of the last days, also released ones
  std::size_t flags_asking = 0;
};
struct Asked {
  RequestId id;
  control::Actor actor;
  control::Request request;
  Moment at = {};  // when it had come in
};
struct Completed {
  Outcome outcome;
  Moment at = {};  // when the effect was done
};
struct Woke {};  // next_deadline() has come
struct Drifted {
  std::vector<std::string> findings;
  std::string by;
  bool rules_alone = false;  // the findings are of the ruleset, and the rest is looked at next
};
struct Compared {};  // all of the kernel, and it is as it should be
struct ClockStepped {};
// The outbox, whenever it has changed and now and then.
struct Seen {
  notice::Outlook outbox;
};
struct Reconfigured {
  Network network;
  TimeZones zones = {};
};

using Command = std::variant<Started, Asked, Completed, Woke, Drifted, Compared, ClockStepped, Seen,
                             Reconfigured>;

}  // namespace sekisho::engine
