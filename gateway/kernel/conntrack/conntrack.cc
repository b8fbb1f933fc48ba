#include "gateway/kernel/conntrack/conntrack.h"

#include <linux/netlink.h>

#include <cerrno>
#include <string>
#include <utility>

namespace sekisho::kernel {
namespace {

constexpr std::uint32_t kProven = AtomMark::kClientProven | AtomMark::kServerProven;
constexpr std::uint32_t kFirstMark = AtomMark::kFirstAtom << 4;
// The second finds what was unconfirmed at the first; the others are for flows that were being
// opened while the machine was busy.
constexpr int kPasses = 5;

bool is_ours(std::uint32_t mark) {
  return mark >= kFirstMark;
}

}  // namespace

Result<Conntrack> Conntrack::open() {
  auto socket = Socket::open(NETLINK_NETFILTER);
  if (!socket) return std::unexpected(socket.error());
  return Conntrack(std::move(*socket));
}

Result<void> Conntrack::read(const std::function<bool(std::uint32_t mark)>& wanted,
                             const std::function<void()>& restart,
                             const std::function<void(Flow)>& each) {
  Message ask = flows_request();
  return socket_.dump(ask, "conntrack table", restart,
                      [&](const nlmsghdr& message) -> Result<void> {
                        if (!wanted(read_mark(message))) return {};
                        if (auto flow = read_flow(message)) each(std::move(*flow));
                        return {};
                      });
}

Result<std::vector<Flow>> Conntrack::flows() {
  std::vector<Flow> flows;
  const auto done =
      read(is_ours, [&] { flows.clear(); }, [&](Flow flow) { flows.push_back(std::move(flow)); });
  if (!done) return std::unexpected(done.error());
  return flows;
}

Result<std::size_t> Conntrack::send(Batch& batch, const std::vector<FlowTuple>& tuples) {
  const auto report = socket_.send(batch, "conntrack table");
  if (!report) return std::unexpected(report.error());
  std::size_t gone = 0;
  for (const Refusal& refusal : report->refused) {
    // A flow that ended meanwhile needs nothing any more.
    if (refusal.error_number != ENOENT) {
      return fail(ErrorCode::failed, "flow " + to_string(tuples[refusal.message]), refusal.why);
    }
    ++gone;
  }
  return batch.size() - gone;
}

Result<void> Conntrack::update_mark(const Flow& flow, std::uint32_t mark) {
  Batch batch;
  put_mark(batch, flow, mark, 0);
  const auto changed = send(batch, {flow.original});
  if (!changed) return std::unexpected(changed.error());
  if (*changed == 1) return {};
  return fail(ErrorCode::not_found, "flow " + to_string(flow.original), "it has ended");
}

Result<void> Conntrack::remove(const Flow& flow) {
  Batch batch;
  put_removal(batch, flow);
  const auto removed = send(batch, {flow.original});
  if (!removed) return std::unexpected(removed.error());
  if (*removed == 1) return {};
  return fail(ErrorCode::not_found, "flow " + to_string(flow.original), "it has ended");
}

Result<std::size_t> Conntrack::purge(const std::function<bool(const Flow&)>& wanted) {
  Batch batch;
  std::vector<FlowTuple> tuples;
  const auto restart = [&] {
    batch = {};
    tuples.clear();
  };
  const auto done = read([](std::uint32_t) { return true; }, restart,
                         [&](const Flow& flow) {
                           if (!wanted(flow)) return;
                           put_removal(batch, flow);
                           tuples.push_back(flow.original);
                         });
  if (!done) return std::unexpected(done.error());
  return send(batch, tuples);
}

Result<std::size_t> Conntrack::remark(const NewAtom& new_atom) {
  std::size_t changed = 0;
  for (int pass = 1; pass <= kPasses; ++pass) {
    Batch batch;
    std::vector<FlowTuple> tuples;
    const auto restart = [&] {
      batch = {};
      tuples.clear();
    };
    const auto done = read(is_ours, restart, [&](const Flow& flow) {
      const AtomMark old = AtomMark::from_mark(flow.mark);
      const auto atom = new_atom(old, flow.original);
      if (!atom || *atom == old) return;
      const bool same_check = atom->check() == old.check();
      put_mark(batch, flow, atom->opening(), same_check ? kProven : 0);
      tuples.push_back(flow.original);
    });
    if (!done) return std::unexpected(done.error());
    if (batch.empty() && pass > 1) return changed;
    const auto sent = send(batch, tuples);
    if (!sent) return std::unexpected(sent.error());
    changed += *sent;
  }
  return fail(ErrorCode::failed, "conntrack table",
              "after " + std::to_string(kPasses) + " readings flows still carry retired atoms",
              "something sets ct marks beside our ruleset: see `nft list ruleset`");
}

}  // namespace sekisho::kernel
