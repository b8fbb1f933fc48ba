#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policy/base/ip.h"
#include "policy/base/keys.h"
#include "policy/base/strong_id.h"
#include "policy/base/time.h"
#include "policy/compile/atoms.h"
#include "policy/model/flag.h"
#include "policy/model/policy.h"
#include "policy/model/quarantine.h"
#include "policy/model/revision.h"

// What the store keeps, as values.
namespace sekisho::store {

using Digest = std::array<std::uint8_t, 32>;  // SHA-256

using Sequence = StrongNumber<struct SequenceTag, std::uint64_t>;  // 1, 2, 3, ...

// pending -> active -> superseded, or pending -> abandoned. At most one is pending, one active.
enum class RevisionState { pending, active, superseded, abandoned };

// A policy on its way in, as the edit that makes it out of its base; it holds no secret.
struct NewRevision {
  std::string edit;                       // write_edit()
  std::function<std::string()> document;  // the whole of it, canonical TOML; asked for now and then
  std::string author;                     // Unix user name
  std::string reason;
  Time time;
  RevisionNumber base;             // the active revision that it was made from; none for the first
  std::optional<AtomSpace> space;  // as cut for it; none where it is that of `base`
};

struct RevisionInfo {
  RevisionNumber number;
  RevisionState state = RevisionState::abandoned;
  std::string author;
  std::string reason;
  Time time;
  RevisionNumber base;
  std::string
      digest;  // of the revision and, by its base's digest, of all it came from; 64 hex digits
  bool operator==(const RevisionInfo&) const = default;
};

// `space.next` is the highest that any revision ever had, abandoned ones included, so that a number
// that once stood in a live flow's mark is never given again.
struct Revision {
  RevisionInfo info;
  std::string document;  // of the nearest revision before it that is kept whole, or its own
  std::vector<std::string> edits;  // what leads from there to it
  AtomSpace space;
};

// The active revision is on trial: where nobody confirms it by `until`, the policy returns to that
// of `back_to` (none: to no policy).
struct Provisional {
  RevisionNumber back_to;
  Time until;
  std::chrono::seconds length{};  // from its beginning to `until`
  std::string author;             // Unix user name
  std::vector<std::string> cuts;  // "device.phone": cut off meanwhile, one line each
  bool operator==(const Provisional&) const = default;
};

enum class KeyMade { device, gateway };  // where the device's private key was made

struct NewDevice {
  DeviceId id;
  PublicKey public_key;
  std::vector<IpAddress> addresses;
  PresharedKey preshared_key;
  KeyMade key_made = KeyMade::device;
};

// Removals come first, so a device in both lists gets a new key in one step.
struct DeviceChange {
  std::vector<DeviceId> remove = {};
  std::vector<NewDevice> add = {};
};

// One life of a device id, from being added to being removed. Lives are never deleted.
struct LedgerDevice {
  DeviceId id;
  PublicKey public_key;
  std::vector<IpAddress> addresses;  // sorted
  KeyMade key_made = KeyMade::device;
  Time added_at;
  std::string added_by;
  std::optional<Time> removed_at;
  std::string removed_by;  // empty while it lives
  bool operator==(const LedgerDevice&) const = default;
};

struct Actor {
  std::string user;  // Unix user name
  std::uint32_t uid = 0;
  bool operator==(const Actor&) const = default;
};

enum class Via { socket, daemon };

struct PastQuarantine {
  Quarantine quarantine;
  Time released_at;
  std::string released_by;  // Unix user name
  std::string release_reason;
  std::string finding;
  bool operator==(const PastQuarantine&) const = default;
};

// Something that was done or tried. `before` and `after` may be empty; `result` is "ok" or the
// error.
struct Operation {
  Time time;
  Actor actor;
  Via via = Via::daemon;
  std::string name;    // "grant.set"
  std::string object;  // "grant:sales-wiki"
  std::string before = {};
  std::string after = {};
  std::string reason = {};
  std::string result = "ok";
  bool operator==(const Operation&) const = default;
};

// `hash` is SHA-256(hash of the record before, or 32 zero bytes || canonical encoding of this one);
// README.md describes the encoding.
struct RecordedOperation {
  Sequence sequence;
  Operation operation;
  Digest hash{};
  bool operator==(const RecordedOperation&) const = default;
};

}  // namespace sekisho::store
