#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "gateway/daemon/box.h"
#include "gateway/daemon/config.h"
#include "gateway/engine/command.h"
#include "gateway/outbox/writer.h"
#include "gateway/store/store.h"

namespace sekisho::daemon {

// Carries out the engine's effects on the box and in the store. One thread.
class Executor {
 public:
  using Reply = std::function<void(engine::RequestId, control::Reply)>;

  // All but `reply` must outlive it.
  Executor(const Config& config, Box& box, store::Store& store, Reply reply);

  // An effect with an outcome, whose contents may be used up by it; `now` is the wall clock.
  engine::Outcome execute(engine::Effect& effect, Time now);
  // An effect without one: a record, an answer.
  void conclude(engine::Effect effect, Time now);
  // How the outbox is; cheap.
  notice::Outlook outlook() { return outbox_.look(); }

 private:
  using DeviceKey = std::pair<DeviceId, PublicKey>;

  engine::Outcome do_it(const engine::Install& install, Time now);
  engine::Outcome do_it(const engine::OpenTunnel& open, Time now);
  engine::Outcome do_it(const engine::ChangeTables& change, Time now);
  engine::Outcome do_it(const engine::ConfirmTables& confirm, Time now);
  engine::Outcome do_it(const engine::Remark& remark, Time now);
  engine::Outcome do_it(const engine::ChangePeers& change, Time now);
  engine::Outcome do_it(const engine::PurgeFlows& purge, Time now);
  engine::Outcome do_it(const engine::StoreQuarantine& store, Time now);
  engine::Outcome do_it(const engine::StoreRelease& store, Time now);
  engine::Outcome do_it(const engine::ReadPastQuarantines& read, Time now);
  engine::Outcome do_it(const engine::StoreFlag& store, Time now);
  engine::Outcome do_it(const engine::FindFlag& find, Time now);
  engine::Outcome do_it(const engine::ReadFlag& read, Time now);
  engine::Outcome do_it(const engine::ReadFlags& read, Time now);
  engine::Outcome do_it(const engine::SetFlag& set, Time now);
  engine::Outcome do_it(const engine::MakeToken& make, Time now);
  engine::Outcome do_it(const engine::FindToken& find, Time now);
  engine::Outcome do_it(const engine::FindAddresses& find, Time now);
  engine::Outcome do_it(engine::StorePending& store, Time now);
  engine::Outcome do_it(const engine::Activate& activate, Time now);
  engine::Outcome do_it(const engine::Confirm& confirm, Time now);
  engine::Outcome do_it(const engine::Abandon& abandon, Time now);
  engine::Outcome do_it(const engine::ReadRevision& read, Time now);
  engine::Outcome do_it(const engine::ReadRevisionAt& read, Time now);
  engine::Outcome do_it(const engine::ReadHistory& read, Time now);
  engine::Outcome do_it(const engine::ReadPeers& read, Time now);
  engine::Outcome do_it(const engine::ReadFlows& read, Time now);
  engine::Outcome do_it(const engine::Examine& examine, Time now);
  engine::Outcome do_it(const engine::ReadOperations& read, Time now);
  engine::Outcome do_it(const engine::VerifyOperations& verify, Time now);
  engine::Outcome do_it(const engine::SendTest& test, Time now);
  Result<std::string> put(notice::Notice notice, Time now);
  Result<std::string> profile(const engine::AnswerWithProfile& answer);

  const Config& config_;
  Box& box_;
  store::Store& store_;
  Reply reply_;
  outbox::Writer outbox_;
  RevisionNumber pending_;  // until it is activated or abandoned
};

}  // namespace sekisho::daemon
