#pragma once

#include <string>
#include <vector>

#include "gateway/control/message.h"
#include "gateway/engine/command.h"
#include "policy/model/network.h"
#include "policy/model/quarantine.h"

// Quarantine as requests ask for it and replies show it.
namespace sekisho::engine {

// Whom a request's target names: device:ID, person:ID, resource:ID, everyone, or the ID alone where
// one of these alone has it.
Result<QuarantineTarget> target_of(const control::Request& request, const Policy& policy);
// What quarantine.add asks for; a target that does not exist is an error.
Result<Quarantine> quarantine_of(const control::Request& request, const Policy& policy);
// That quarantine.release says why, and what was found.
Result<void> check_release(const control::Request& request);

Node show_quarantine(const Quarantine& quarantine);
Node show_quarantines(const std::vector<Quarantine>& quarantines);
// notice.show: what became of the device at this address. It does not say why: who has the device
// may be the one who is not to know.
control::Reply show_notice(const Policy& policy, const std::vector<Quarantine>& quarantines,
                           const std::string& address);
// For the record.
std::string as_toml(const Quarantine& quarantine);
std::string write_text(const std::string& text);

// One of a target: in the place of the one before; and none.
std::vector<Quarantine> with(std::vector<Quarantine> all, const Quarantine& one);
std::vector<Quarantine> without(std::vector<Quarantine> all, const QuarantineTarget& target);

// For doctor: who is held for what, and what waits for the officer.
Finding quarantine_finding(const std::vector<Quarantine>& quarantines, std::size_t flags_asking);

Error not_quarantined(const QuarantineTarget& target);
// What to answer where it is held, but not all of it could be done.
Errors still_to_do(const QuarantineTarget& target, const std::string& done, const Errors& errors);

// The last address of each pool, where no device has it.
std::vector<IpAddress> unused_addresses(const Network& network, const Policy& policy);

}  // namespace sekisho::engine
