#pragma once

#include <optional>
#include <string>

#include "gateway/engine/command.h"
#include "gateway/notice/delivery.h"
#include "gateway/notice/notice.h"

namespace sekisho::engine {

// What the record says, for people outside: Notify{notice_of(entry, ...)} beside Record{entry}.
// Whoever puts it into the outbox adds id, time and gateway.
notice::Notice notice_of(const Entry& entry, notice::Kind kind, notice::Severity severity);

// What hinders that notices arrive, and what to do about it.
struct Hindrance {
  std::string cause;
  std::string mend;
};
// `away_since`: since when sekisho-notify is known not to run. Nothing where there is no outbox.
std::optional<Hindrance> hindrance_of(const notice::Outlook& outbox,
                                      const std::optional<Time>& away_since, Time now);

// The notify part of status and of doctor.
Node show_notify(const notice::Outlook& outbox, const std::optional<Hindrance>& hindrance);
Finding notify_finding(const notice::Outlook& outbox, const std::optional<Hindrance>& hindrance);

}  // namespace sekisho::engine
