#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gateway/store/records.h"
#include "gateway/store/reserve.h"
#include "policy/base/result.h"

namespace sekisho::store {

class Database;

// The daemon's state: one SQLite database, `state.db`, and the only door to it. One thread at a
// time.
//
// Every function that writes is one transaction, on disk (fsync) when it returns; when it returns
// an error nothing of it is written. Errors name the file and the cause (disk full, read-only, I/O
// error, busy, damaged); a damaged file is reported and never overwritten.
class Store {
 public:
  // Makes the directory (0700; its parent must exist) and the database (0600) where there is none.
  // Refuses a directory that group or others can write to, a database that they can read, one that
  // is damaged, not ours, or of a newer schema, and a state that another daemon holds (conflict).
  // A revision found pending is abandoned and that recorded, at `now`: the daemon died in between.
  static Result<Store> open(const std::filesystem::path& directory, Time now);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // -- Revisions of the policy ------------------------------------------------------------------

  // conflict where `base` is not the active revision, another one is pending, or `space` would give
  // atom numbers a second time (it was not cut from atom_space()).
  Result<RevisionNumber> add_pending(const NewRevision& revision);
  // Makes a pending revision the active one, the former superseded, carries out the change of
  // devices that it means, and records `entry`: all or nothing. So the living devices of the ledger
  // are those of the active revision. The ledger takes time and author of the change from `entry`.
  // From then on provisional() is `provisional`.
  Result<void> activate(RevisionNumber number, const DeviceChange& devices, const Operation& entry,
                        const std::optional<Provisional>& provisional = {});
  // Gives a pending revision up and records `entry`, whose `result` says why.
  Result<void> abandon(RevisionNumber number, const Operation& entry);

  // The active revision is no longer on trial; records `entry`.
  Result<void> confirm(const Operation& entry);
  Result<std::optional<Provisional>> provisional();

  Result<std::optional<Revision>> active();
  // What cut() begins from: the atoms of the active revision, or none, and the first number never
  // given.
  Result<AtomSpace> atom_space();
  Result<Revision> revision(RevisionNumber number);
  // The newest that was accepted by `at` and came into force; not_found before the first.
  Result<Revision> revision_at(Time at);
  // Newest first, numbers below `before`; with no `before` from the newest.
  Result<std::vector<RevisionInfo>> history(std::size_t limit, RevisionNumber before = {});

  // -- Devices ----------------------------------------------------------------------------------

  // conflict: an id or public key that lives already, an address that another id ever had.
  // not_found: removing an id that does not live. Records `entry` in the same transaction.
  Result<void> change_devices(const DeviceChange& change, const Operation& entry);
  // The newest preshared key of this id with this public key, also of a device that was removed: a
  // device that comes back as it was (a rollback) keeps its profile. not_found where there was
  // none.
  Result<PresharedKey> preshared_key(const DeviceId& device, const PublicKey& key);
  // Every life ever, in the order of being added.
  Result<std::vector<LedgerDevice>> devices();
  // From each pool its lowest host address that no device ever had and that is not in `reserved`:
  // the gateway's own, and those that the change in hand gives out already. Sorted. An exhausted
  // pool is an error.
  Result<std::vector<IpAddress>> next_free_addresses(std::span<const Prefix> pools,
                                                     std::span<const IpAddress> reserved);

  // -- Record of operations: append-only, chained by hashes --------------------------------------

  Result<Sequence> record(const Operation& entry);
  // Newest first, sequences below `before`; with no `before` from the newest.
  Result<std::vector<RecordedOperation>> operations(std::size_t limit, Sequence before = {});
  // The first sequence that is missing or whose hash does not follow; none where the chain holds.
  // Records cut off at the end leave no trace in a chain: compare its newest hash with one kept
  // elsewhere.
  Result<std::optional<Sequence>> verify_operations();

  // -- Quarantine, flags, tokens ------------------------------------------------------------------

  // Those in force, oldest first.
  Result<std::vector<Quarantine>> quarantines();
  // In the place of the one in force of its target, or new; records `entry`.
  Result<void> put_quarantine(const Quarantine& quarantine, const Operation& entry);
  // Time, author and reason of the release are those of `entry`, which it records. not_found where
  // none of this target is in force.
  Result<void> release_quarantine(const QuarantineTarget& target, const std::string& finding,
                                  const Operation& entry);
  // Released ones, the latest first.
  Result<std::vector<PastQuarantine>> past_quarantines(std::size_t limit);
  // Those that nobody ordered and that began after `since`, released ones too.
  Result<std::vector<Quarantine>> automatic_quarantines(Time since);

  // Gives it its number.
  Result<FlagNumber> add_flag(const Flag& flag, const Operation& entry);
  // The last one that the source said with this key of the device or person.
  Result<std::optional<Flag>> find_flag(const DeviceId& device, const PersonId& person,
                                        const std::string& source, const std::string& key);
  Result<std::optional<Flag>> flag(FlagNumber number);
  // Newest first.
  Result<std::vector<Flag>> flags(std::size_t limit);
  Result<std::size_t> flags_asking();
  Result<void> set_flag(FlagNumber number, FlagState state, const std::string& outcome,
                        const Operation& entry);

  // In the place of the device's token before; it goes with the device.
  Result<void> set_device_token(const DeviceId& device, const Digest& hash, const Operation& entry);
  Result<std::optional<DeviceId>> device_of_token(const Digest& hash);

  // -- The rest -----------------------------------------------------------------------------------

  // The gateway's WireGuard key. The first call stores what `make` gives; later ones return that. A
  // key that is damaged, or missing although devices know it, is an error and never replaced.
  Result<PrivateKey> gateway_key(const std::function<PrivateKey()>& make);
  // The newest time that any write ever carried; 1970 where there was none. A clock that says less
  // than this went back.
  Result<Time> newest_time();

 private:
  Store(std::unique_ptr<Database> database, Reserve reserve);

  // As a transaction, and once more with the reserve's room where the disk is full.
  Result<void> urgently(const std::function<Result<void>()>& body);

  std::unique_ptr<Database> database_;
  Reserve reserve_;
};

}  // namespace sekisho::store
