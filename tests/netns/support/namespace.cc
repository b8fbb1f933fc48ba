#include "tests/netns/support/namespace.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

namespace sekisho::netns {
namespace {

[[noreturn]] void stop(const char* what) {
  std::fprintf(stderr, "%s: %s (these tests run as root)\n", what, std::strerror(errno));
  std::exit(1);
}

kernel::UniqueFd current_namespace() {
  kernel::UniqueFd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) stop("/proc/thread-self/ns/net");
  return fd;
}

}  // namespace

Namespace::Namespace() {
  const kernel::UniqueFd before = current_namespace();
  if (::unshare(CLONE_NEWNET) != 0) stop("unshare");
  fd_ = current_namespace();
  must("ip link set lo up");
  if (::setns(before.get(), CLONE_NEWNET) != 0) stop("setns");
}

void Namespace::in(const std::function<void()>& body) const {
  const Inside inside(*this);
  body();
}

Inside::Inside(const Namespace& space) : before_(current_namespace()) {
  if (::setns(space.fd(), CLONE_NEWNET) != 0) stop("setns");
}

Inside::~Inside() {
  if (::setns(before_.get(), CLONE_NEWNET) != 0) stop("setns");
}

void connect(const Namespace& a, const std::string& name_a, const Namespace& b,
             const std::string& name_b) {
  const Inside inside(a);
  must("ip link add " + name_a + " type veth peer name " + name_b + " netns /proc/" +
       std::to_string(::getpid()) + "/fd/" + std::to_string(b.fd()));
}

int run(const std::string& command) {
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void must(const std::string& command) {
  ASSERT_EQ(run(command), 0) << command;
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  std::array<char, 4096> piece;
  while (const std::size_t length = std::fread(piece.data(), 1, piece.size(), pipe.get())) {
    text.append(piece.data(), length);
  }
  return text;
}

Child::Child(const std::string& command) : pid_(::fork()) {
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const std::string replaced = "exec " + command;
  ::execl("/bin/sh", "sh", "-c", replaced.c_str(), nullptr);
  ::_exit(127);
}

Child::~Child() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool wait_until(const std::function<bool()>& condition, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

void private_directory(const std::string& directory) {
  if (::unshare(CLONE_NEWNS) != 0) stop("unshare");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    stop("mount --make-private");
  ::mkdir(directory.c_str(), 0755);
  if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "mode=0755") != 0) stop(directory.c_str());
}

}  // namespace sekisho::netns
