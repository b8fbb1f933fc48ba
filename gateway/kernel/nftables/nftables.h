#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/nftables/elements.h"
#include "gateway/kernel/nftables/foreign.h"
#include "gateway/kernel/nftables/transaction.h"
#include "gateway/kernel/nftables/watcher.h"
#include "policy/compile/diff.h"
#include "policy/compile/ruleset.h"

namespace sekisho::kernel {

// Who may change our table. An owned table can be changed through our socket alone: another
// process's `nft flush ruleset` passes it by and a delete gives EPERM. It persists when its owner
// goes and is owned again by the next install (Linux 6.9; older kernels give a shared table).
enum class Ownership : std::uint8_t { shared, owned };

struct Installed {
  bool owned = false;
  // What was not as it should be and was made right; empty when all was there already.
  std::vector<std::string> changes;
};

// The gateway's table in the kernel. One object, used by one thread; every call returns when the
// kernel has answered. See linux/netfilter/nf_tables.h and libnftnl(3).
class Nftables {
 public:
  // Speaks to the network namespace that the thread is in. Needs CAP_NET_ADMIN in it.
  static Result<Nftables> open(Ownership ownership);

  // Makes the table be `ruleset` with `tables` at `now`. What is there already is kept as it is, so
  // a restart disturbs nothing; all else is changed in one batch. Chains of ours stay when their
  // rules are replaced: traffic never meets a moment without them. What is in our table and not
  // ours goes. Reads everything back before it returns. Other programs' changes that were heard of
  // meanwhile are kept for watcher().read(): call it afterwards.
  Result<Installed> install(const Ruleset& ruleset, const Tables& tables, Instant now);

  // Carries out one change of contents, in one batch, and reads back the elements it touched: how
  // many. An error means that nothing was changed, except where it says that reading back failed;
  // in both cases install() finds out and repairs.
  Result<std::size_t> apply(const TablesDiff& diff, Instant now);
  // The second half of it alone: whether the kernel holds what `diff` would lead to.
  Result<std::size_t> confirm(const TablesDiff& diff, Instant now);

  // How the table differs from what it should be: one line each for the record, none when all is
  // right. Reads everything (0.4 to 1 s with 200 000 elements).
  Result<std::vector<std::string>> observe(const Ruleset& ruleset, const Tables& tables,
                                           Instant now);

  // What other tables may do to the tunnel's traffic; see foreign.h.
  Result<std::vector<ForeignRisk>> foreign_risks(const TunnelTraffic& tunnel);

  // Grows with every change to any ruleset of the namespace: cheap to ask often.
  Result<std::uint32_t> generation();

  // Other programs' changes, for the daemon's loop: wait on watcher().fd().
  Watcher& watcher() { return watcher_; }

 private:
  Nftables(Ownership ownership, Socket socket, Watcher watcher)
      : ownership_(ownership), socket_(std::move(socket)), watcher_(std::move(watcher)) {}
  Result<void> read_back_only(const std::string& set, const ContentsChange& change);
  Result<std::size_t> read_back(const ContentsChange& change,
                                std::chrono::steady_clock::time_point start);

  Ownership ownership_;
  bool no_owners_ = false;  // the kernel refused to give the table an owner
  Socket socket_;
  Watcher watcher_;
};

}  // namespace sekisho::kernel
