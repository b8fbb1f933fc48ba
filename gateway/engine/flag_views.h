#pragma once

#include <cstddef>
#include <string>

#include "gateway/control/message.h"
#include "policy/model/flag.h"
#include "policy/model/quarantine.h"

// Flags as requests bring them, replies show them and the policy answers them.
namespace sekisho::engine {

// What flag.add says, but for whom it is about.
Result<Flag> flag_of(const control::Request& request, Time now);
// Whom it is about; a resource and everyone cannot be flagged.
Result<void> name_flagged(Flag& flag, const QuarantineTarget& target, const Policy& policy);
Result<FlagNumber> flag_number(const control::Request& request);

Node show_flag(const Flag& flag);
// For the record.
std::string as_toml(const Flag& flag);
// "device.tanaka-laptop", "person.tanaka"
std::string flagged(const Flag& flag);
Error no_flag(FlagNumber number);

Hold hold_by(Reaction action);
// Automatic, and nothing caught yet.
Quarantine quarantine_for(const Flag& flag, Hold level);
// Whose devices are never quarantined automatically: the policy's officer, or every owner where it
// names none.
bool is_officer(const Policy& policy, const PersonId& person);
// How many devices may be quarantined automatically within the guard's window: at least one.
std::size_t most_automatic(const Policy& policy);

}  // namespace sekisho::engine
