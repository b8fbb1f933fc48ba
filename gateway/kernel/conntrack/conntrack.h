#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "gateway/kernel/conntrack/flow.h"
#include "gateway/kernel/netlink/socket.h"
#include "policy/base/result.h"
#include "policy/compile/tables.h"

namespace sekisho::kernel {

// Which mark a flow gets whose mark's number is `old`: nothing to leave it. `original` is where the
// opener meant to go, before any translation of addresses: atoms are looked up by that.
using NewAtom = std::function<std::optional<AtomMark>(AtomMark old, const FlowTuple& original)>;

// The connection tracking table of the calling thread's network namespace. Every call reads the
// whole table: 100 000 entries take some 0.2 s. Not for use by two threads at once.
class Conntrack {
 public:
  static Result<Conntrack> open();

  // The flows that our ruleset marked (AtomMark: 0x10000 and more), both families.
  Result<std::vector<Flow>> flows();

  // ErrorCode::not_found where the flow is gone.
  Result<void> update_mark(const Flow& flow, std::uint32_t mark);
  Result<void> remove(const Flow& flow);

  // Removes every entry that `wanted` picks, whatever its mark; how many.
  Result<std::size_t> purge(const std::function<bool(const Flow&)>& wanted);

  // Gives live flows their new atoms; how many. What a flow has proven stays proven where the new
  // atom asks for the same check; otherwise it begins anew as the ruleset would begin it. A flow
  // that was still unconfirmed is not in the table, so it is read again until nothing is left to
  // do. No packet is lost: between two packets a flow has one mark or the other, and the caller
  // sees to it that both give the same rights meanwhile.
  Result<std::size_t> remark(const NewAtom& new_atom);

 private:
  explicit Conntrack(Socket socket) : socket_(std::move(socket)) {}
  // Calls `each` for every entry that `wanted` picks by its mark.
  Result<void> read(const std::function<bool(std::uint32_t mark)>& wanted,
                    const std::function<void()>& restart, const std::function<void(Flow)>& each);
  // How many of the changes found their flow.
  Result<std::size_t> send(Batch& batch, const std::vector<FlowTuple>& tuples);

  Socket socket_;
};

}  // namespace sekisho::kernel
