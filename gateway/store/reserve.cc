#include "gateway/store/reserve.h"

#include <fcntl.h>
#include <unistd.h>

namespace sekisho::store {

void Reserve::fill() const {
  const int file = open(file_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  const bool filled = posix_fallocate(file, 0, kBytes) == 0;
  close(file);
  if (!filled) unlink(file_.c_str());
}

bool Reserve::give_up() const {
  return unlink(file_.c_str()) == 0;
}

}  // namespace sekisho::store
