#include "gateway/kernel/wireguard/wireguard.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <utility>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/wireguard/kernel_backend.h"
#include "gateway/kernel/wireguard/uapi_backend.h"

namespace sekisho::kernel {
namespace {

// The link's IFLA_INFO_KIND ("wireguard", "tun", "veth"), empty for kinds without a name.
Result<std::string> kind_of(const std::string& interface) {
  auto socket = Socket::open(NETLINK_ROUTE);
  if (!socket) return std::unexpected(socket.error());
  Message ask(RTM_GETLINK, 0);
  ask.extra<ifinfomsg>();
  mnl_attr_put_strz(ask.header(), IFLA_IFNAME, interface.c_str());
  std::string kind;
  const auto done =
      socket->request(ask, "interface " + interface, [&](const nlmsghdr& reply) -> Result<void> {
        const Attributes link = Attributes::of(reply, sizeof(ifinfomsg));
        kind = link.nest(IFLA_LINKINFO).text(IFLA_INFO_KIND).value_or("");
        return {};
      });
  if (done) return kind;
  Error missing = done.error();
  if (missing.code == ErrorCode::not_found) {
    missing.advice = "make it: ip link add " + interface +
                     " type wireguard; where the kernel has no WireGuard: wireguard-go " +
                     interface;
  }
  return std::unexpected(std::move(missing));
}

bool is_interface_name(const std::string& name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         name.find_first_of("/ \t\n") == std::string::npos;
}

}  // namespace

Result<std::unique_ptr<WireGuard>> open_wireguard(const std::string& interface) {
  if (!is_interface_name(interface)) {
    return fail(ErrorCode::invalid, "interface \"" + interface + "\"", "not an interface name",
                "1 to 15 characters without '/' and white space");
  }
  const auto kind = kind_of(interface);
  if (!kind) return std::unexpected(kind.error());
  return *kind == "wireguard" ? open_kernel_wireguard(interface) : open_uapi_wireguard(interface);
}

}  // namespace sekisho::kernel
