#pragma once

#include <cstdint>

#include "gateway/kernel/nftables/comparison.h"
#include "gateway/kernel/nftables/transaction.h"

namespace sekisho::kernel {

// The flags the table shall have: a new table may be owned, one that persists without an owner may
// be taken over, a shared one stays shared. Never dormant.
std::uint32_t flags_to_set(const TableState& there, bool want_owned);

// Writes what makes the table as it should be, and nothing where it is.
void write_repair(Transaction& transaction, const Ruleset& wanted, const TableState& there,
                  const Comparison& found, std::uint32_t flags);

}  // namespace sekisho::kernel
