#pragma once

#include <array>

#include "gateway/control/operations.h"

// What the values of parameters can be: the words that policy/model reads, and the lists that know
// names. For the tables of operations and commands only.
namespace sekisho::control {

inline constexpr std::array kOwnIds{Value{"", kOwnList}};
inline constexpr std::array kPeople{Value{"", "person.list"}};
inline constexpr std::array kRoleIds{Value{"", "role.list"}};
inline constexpr std::array kResources{Value{"", "resource.list"}};
inline constexpr std::array kGrantees{Value{"person:", "person.list"}, Value{"role:", "role.list"}};
inline constexpr std::array kSubjects{Value{"", "person.list"}, Value{"", "device.list"}};
inline constexpr std::array kTargets{Value{"device:", "device.list"},
                                     Value{"person:", "person.list"},
                                     Value{"resource:", "resource.list"}, Value{"everyone", ""}};
inline constexpr std::array kFlaggable{Value{"device:", "device.list"},
                                       Value{"person:", "person.list"}};
inline constexpr std::array kFlags{Value{"", "flag.list"}};
inline constexpr std::array kLevels{Value{"isolate", ""}, Value{"cut", ""}};
inline constexpr std::array kSeverities{Value{"low", ""}, Value{"medium", ""}, Value{"high", ""},
                                        Value{"critical", ""}};
inline constexpr std::array kRevisions{Value{"", "policy.history"}};
inline constexpr std::array kSyntaxes{Value{"toml", ""}, Value{"json", ""}};
inline constexpr std::array kPersonStates{Value{"active", ""}, Value{"suspended", ""}};
inline constexpr std::array kPersonKinds{Value{"owner", ""}, Value{"employee", ""},
                                         Value{"part_timer", ""}, Value{"contractor", ""},
                                         Value{"partner", ""}};
inline constexpr std::array kDeviceStates{Value{"active", ""}, Value{"blocked", ""}};
inline constexpr std::array kClassifications{Value{"confidential", ""}, Value{"internal", ""},
                                             Value{"public", ""}};
inline constexpr std::array kTruth{Value{"true", ""}, Value{"false", ""}};
inline constexpr std::array kReactions{Value{"record", ""}, Value{"isolate", ""}, Value{"cut", ""}};
inline constexpr std::array kCatalogueIds{
    Value{"mail", ""},          Value{"push-apple", ""},      Value{"push-android", ""},
    Value{"time", ""},          Value{"system-updates", ""},  Value{"meetings-teams", ""},
    Value{"meetings-zoom", ""}, Value{"meetings-google", ""}, Value{"meetings-webex", ""}};

}  // namespace sekisho::control
