#include "gateway/daemon/random.h"

#include <sys/random.h>

namespace sekisho::daemon {

Result<KeyBytes> random_bytes() {
  KeyBytes bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail(ErrorCode::failed, "getrandom", "the kernel gave no random bytes",
                "see getrandom(2)");
  }
  return bytes;
}

}  // namespace sekisho::daemon
