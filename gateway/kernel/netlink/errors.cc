#include "gateway/kernel/netlink/errors.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace sekisho::kernel {
namespace {

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ESRCH:
    case ENODEV:
    case ENXIO:
      return ErrorCode::not_found;
    case EEXIST:
      return ErrorCode::conflict;
    default:
      return ErrorCode::failed;
  }
}

std::string advice_for(int error_number) {
  return error_number == EPERM ? "the process needs CAP_NET_ADMIN" : "";
}

}  // namespace

std::string errno_text(int error_number) {
  const char* words = strerrordesc_np(error_number);
  const char* name = strerrorname_np(error_number);
  if (words == nullptr || name == nullptr) return "error " + std::to_string(error_number);
  return std::string(words) + " (" + name + ")";
}

std::unexpected<Error> errno_failure(int error_number, std::string object,
                                     const std::string& kernel_words) {
  std::string cause = errno_text(error_number);
  if (!kernel_words.empty()) cause += ": " + kernel_words;
  return fail(code_of(error_number), std::move(object), std::move(cause), advice_for(error_number));
}

}  // namespace sekisho::kernel
