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

  RevisionNumber add_pending(const StorePending& store, Time now);
  void activate(const Activate& activate);
  void confirm(const Confirm& confirm);
  void abandon(const Abandon& abandon);
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
