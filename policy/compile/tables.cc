#include "policy/compile/tables.h"

#include <cassert>

namespace sekisho {

Check check_of(ServiceKind kind) {
  switch (kind) {
    case ServiceKind::tls:
      return Check::tls;
    case ServiceKind::ssh:
      return Check::ssh;
    case ServiceKind::quic:
      return Check::quic;
    case ServiceKind::tcp:
    case ServiceKind::udp:
      return Check::none;
  }
  assert(false);
  return Check::none;
}

}  // namespace sekisho
