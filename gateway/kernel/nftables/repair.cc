#include "gateway/kernel/nftables/repair.h"

#include <linux/netfilter/nf_tables.h>

namespace sekisho::kernel {

namespace {

// What goes may be used by any rule, so then all rules go first and ours come back. In this order
// nothing is deleted that something else still names: rules, sets, chains, objects.
void write_deletions(Transaction& transaction, const TableState& there, const Comparison& found,
                     bool all_rules) {
  for (const auto& [name, chain] : there.chains) {
    if (all_rules || found.chains_to_fill.contains(name)) transaction.flush_chain(name);
  }
  for (const auto& name : found.sets_to_delete) transaction.delete_set(name);
  for (const auto& name : found.chains_to_delete) transaction.delete_chain(name);
  for (const auto& [type, name] : found.objects_to_delete) transaction.delete_object(type, name);
  for (const auto& name : found.flowtables_to_delete) transaction.delete_flowtable(name);
}

void write_rules(Transaction& transaction, const nft::Chain& chain) {
  for (const auto& rule : chain.rules) transaction.put_rule(chain.name, rule);
}

}  // namespace

std::uint32_t flags_to_set(const TableState& there, bool want_owned) {
  if (!there.present) return want_owned ? kTableOwner | kTablePersists : 0;
  std::uint32_t flags = there.flags & ~std::uint32_t{NFT_TABLE_F_DORMANT};
  if (want_owned && (flags & kTablePersists) != 0) flags |= kTableOwner;
  return flags;
}

void write_repair(Transaction& transaction, const Ruleset& wanted, const TableState& there,
                  const Comparison& found, std::uint32_t flags) {
  if (!there.present || there.flags != flags) transaction.put_table(flags, wanted.comment);
  const bool all_rules = !found.sets_to_delete.empty() || !found.chains_to_delete.empty() ||
                         !found.objects_to_delete.empty() || !found.flowtables_to_delete.empty();
  write_deletions(transaction, there, found, all_rules);
  for (const auto& counter : wanted.counters) {
    if (found.counters_to_make.contains(counter.name)) transaction.put_counter(counter);
  }
  for (const auto& chain : wanted.chains) {
    if (found.chains_to_make.contains(chain.name)) transaction.put_chain(chain);
  }
  for (const auto& set : wanted.sets) {
    if (found.sets_to_make.contains(set.name)) transaction.put_set(set);
  }
  // Somebody else's elements may overlap ours, so they go first.
  for (const auto& [set, elements] : found.to_remove) transaction.remove_elements(set, elements);
  for (const auto& [set, elements] : found.to_add) transaction.put_elements(set, elements);
  for (const auto& chain : wanted.chains) {
    if (all_rules || found.chains_to_fill.contains(chain.name)) write_rules(transaction, chain);
  }
}

}  // namespace sekisho::kernel
