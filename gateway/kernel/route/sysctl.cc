#include "gateway/kernel/route/sysctl.h"

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "gateway/kernel/netlink/errors.h"
#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/netlink/unique_fd.h"

namespace sekisho::kernel {
namespace {

constexpr const char* kForwardV4 = "net/ipv4/ip_forward";
constexpr const char* kForwardV6 = "net/ipv6/conf/all/forwarding";

Result<UniqueFd> open_setting(const std::string& key, int flags) {
  const UniqueFd root(::open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_failure(errno, "/proc/sys");
  UniqueFd file(::openat(root.get(), key.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return errno_failure(errno, "setting " + key);
  return file;
}

Result<std::string> read_setting(const std::string& key) {
  const auto file = open_setting(key, O_RDONLY);
  if (!file) return std::unexpected(file.error());
  std::array<char, 256> text;
  const ssize_t length = ::read(file->get(), text.data(), text.size());
  if (length < 0) return errno_failure(errno, "setting " + key, "reading");
  std::string value(text.data(), static_cast<std::size_t>(length));
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

Result<void> write_setting(const Setting& setting) {
  const auto file = open_setting(setting.key, O_WRONLY);
  if (!file) return std::unexpected(file.error());
  const ssize_t length = ::write(file->get(), setting.value.data(), setting.value.size());
  if (length != static_cast<ssize_t>(setting.value.size())) {
    return errno_failure(length < 0 ? errno : EIO, "setting " + setting.key, "writing");
  }
  const auto value = read_setting(setting.key);
  if (!value) return std::unexpected(value.error());
  if (*value == setting.value) return {};
  return fail(ErrorCode::failed, "setting " + setting.key,
              "set to " + setting.value + ", it reads " + *value);
}

// Any conntrack request makes the kernel load the module that answers it.
void load_conntrack() {
  auto socket = Socket::open(NETLINK_NETFILTER);
  if (!socket) return;
  Message ask(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, 0);
  ask.extra<nfgenmsg>();
  // Its outcome is seen in the keys that appear.
  (void)socket->dump(ask, "conntrack", [] {}, [](const nlmsghdr&) { return Result<void>{}; });
}

Result<bool> turn_on(const char* key) {
  const auto value = read_setting(key);
  if (!value) return std::unexpected(value.error());
  if (*value != "0") return false;
  if (auto done = write_setting({key, "1"}); !done) return std::unexpected(done.error());
  return true;
}

}  // namespace

std::vector<Setting> conntrack_settings() {
  return {{"net/netfilter/nf_conntrack_tcp_loose", "0"},
          {"net/netfilter/nf_conntrack_tcp_be_liberal", "0"},
          {"net/netfilter/nf_conntrack_checksum", "1"},
          {"net/netfilter/nf_conntrack_acct", "1"}};
}

std::vector<Setting> interface_settings(const std::string& interface) {
  const std::string v4 = "net/ipv4/conf/" + interface;
  const std::string v6 = "net/ipv6/conf/" + interface;
  // The kernel sends redirects where `all` or the interface says so. With `all` off every other
  // interface still does what it says itself.
  return {{"net/ipv4/conf/all/send_redirects", "0"},
          {v4 + "/send_redirects", "0"},
          {"net/ipv4/conf/all/src_valid_mark", "1"},
          {v4 + "/rp_filter", "1"},
          {v4 + "/accept_redirects", "0"},
          {v6 + "/accept_redirects", "0"},
          {v6 + "/accept_ra", "0"}};
}

Result<std::vector<std::string>> observe_settings(const std::vector<Setting>& wanted) {
  std::vector<std::string> differences;
  for (const Setting& setting : wanted) {
    const auto value = read_setting(setting.key);
    if (!value) return std::unexpected(value.error());
    if (*value != setting.value) {
      differences.push_back(setting.key + " is " + *value + ", not " + setting.value);
    }
  }
  return differences;
}

Result<std::vector<std::string>> ensure_settings(const std::vector<Setting>& wanted) {
  std::vector<std::string> differences;
  for (const Setting& setting : wanted) {
    auto difference = observe_settings({setting});
    if (!difference) return std::unexpected(difference.error());
    if (difference->empty()) continue;
    if (auto done = write_setting(setting); !done) return std::unexpected(done.error());
    differences.push_back(std::move(difference->front()));
  }
  return differences;
}

Result<std::vector<std::string>> ensure_conntrack_settings() {
  const std::vector<Setting> wanted = conntrack_settings();
  if (!read_setting(wanted.front().key)) load_conntrack();
  auto done = ensure_settings(wanted);
  if (!done && done.error().code == ErrorCode::not_found) {
    done.error().advice =
        "conntrack is not loaded and the kernel did not load it: modprobe nf_conntrack";
  }
  return done;
}

Result<Forwarding> ensure_forwarding() {
  Forwarding ours;
  const auto v4 = turn_on(kForwardV4);
  if (!v4) return std::unexpected(v4.error());
  ours.turned_on_v4 = *v4;
  const auto v6 = turn_on(kForwardV6);
  if (!v6) return std::unexpected(v6.error());
  ours.turned_on_v6 = *v6;
  return ours;
}

Result<void> restore_forwarding(const Forwarding& ours) {
  if (ours.turned_on_v4) {
    if (auto done = write_setting({kForwardV4, "0"}); !done) return done;
  }
  return ours.turned_on_v6 ? write_setting({kForwardV6, "0"}) : Result<void>{};
}

}  // namespace sekisho::kernel
