#include "policy/model/network.h"

namespace sekisho {

std::vector<IpAddress> Network::gateway_addresses() const {
  std::vector<IpAddress> addresses;
  for (const Prefix& pool : pools) {
    const auto first_host = pool.address().next();
    if (first_host && pool.contains(*first_host)) addresses.push_back(*first_host);
  }
  return addresses;
}

}  // namespace sekisho
