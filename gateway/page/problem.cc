#include "gateway/page/problem.h"

#include "gateway/control/message.h"
#include "policy/model/node.h"

namespace sekisho::page {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return 422;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::not_permitted:
      return 403;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::unreachable:
      return 503;
    case ErrorCode::failed:
    case ErrorCode::answered_no:
    case ErrorCode::rolled_back:
      return 500;
  }
  return 500;
}

std::string problem(int status, const std::string& code, const std::string& detail,
                    const std::string& advice) {
  Node::Table members{{"status", {std::int64_t{status}}}, {"code", {code}}, {"detail", {detail}}};
  if (!advice.empty()) members.emplace_back("advice", Node{advice});
  return write_json({std::move(members)}, true);
}

std::string problem(const Error& error) {
  Error told = error;
  told.advice.clear();
  return problem(status_of(error.code), std::string(control::to_string(error.code)),
                 to_string(told), error.advice);
}

}  // namespace sekisho::page
