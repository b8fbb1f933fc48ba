#include "policy/base/result.h"

namespace sekisho {

std::string to_string(const Error& error) {
  std::string text;
  for (const std::string& part : {error.place, error.object}) {
    if (!part.empty()) text += part + ": ";
  }
  text += error.cause;
  if (!error.advice.empty()) text += " (" + error.advice + ")";
  return text;
}

}  // namespace sekisho
