#include "policy/model/flag.h"

namespace sekisho {

std::string_view to_string(FlagState state) {
  switch (state) {
    case FlagState::recorded:
      return "recorded";
    case FlagState::acted:
      return "acted";
    case FlagState::asking:
      return "asking";
    case FlagState::dismissed:
      return "dismissed";
  }
  return "asking";
}

}  // namespace sekisho
