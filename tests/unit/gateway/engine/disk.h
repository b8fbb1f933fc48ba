#pragma once

#include <map>
#include <optional>
#include <vector>

#include "gateway/engine/command.h"

namespace sekisho::engine {

// The store: what a transaction leaves, and what it refuses (gateway/store).
struct Disk {
  std::map<RevisionNumber, Revision> revisions;
  std::optional<RevisionNumber> pending;
  RevisionNumber active;
  std::optional<Provisional> provisional;
  std::vector<Entry> record;
  std::vector<DeviceChange> ledger;
  std::vector<Quarantine> quarantines;  // in force
  std::vector<Quarantine> released;
  std::vector<Flag> flags;  // the first is number 1
  std::map<std::string, DeviceId> tokens;

  RevisionNumber add_pending(const StorePending& store, Time now);
  void activate(const Activate& activate);
  void confirm(const Confirm& confirm);
  void abandon(const Abandon& abandon);
  void put_quarantine(const StoreQuarantine& store);
  void release(const StoreRelease& release);
  FlagNumber add_flag(const StoreFlag& store);
  void set_flag(const SetFlag& set);
  // One of each pool that no device ever had.
  std::vector<IpAddress> free_addresses(const std::vector<Prefix>& pools,
                                        const std::vector<IpAddress>& taken) const;
  // What a daemon that starts finds.
  Started found() const;

 private:
  std::map<RevisionNumber, std::vector<Atom>> atoms_;
  std::uint32_t next_atom_ = AtomMark::kFirstAtom;
  std::map<IpAddress, DeviceId> given_;  // for ever
};

}  // namespace sekisho::engine
