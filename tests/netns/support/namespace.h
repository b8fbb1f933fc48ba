#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "gateway/kernel/netlink/unique_fd.h"

// Network namespaces for tests. They have no name and no file: the kernel removes one with the last
// descriptor or process that holds it, so a test that dies leaves nothing behind.
namespace sekisho::netns {

class Namespace {
 public:
  // A new one with `lo` up. Stops the program where the process may not (it must be root).
  Namespace();

  // Runs `body` with this thread inside, then goes back.
  void in(const std::function<void()>& body) const;
  int fd() const { return fd_.get(); }

 private:
  kernel::UniqueFd fd_;
};

// Goes into a namespace for as long as it lives.
class Inside {
 public:
  explicit Inside(const Namespace& space);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  kernel::UniqueFd before_;
};

// A veth pair: `name_a` in `a`, `name_b` in `b`, both down.
void connect(const Namespace& a, const std::string& name_a, const Namespace& b,
             const std::string& name_b);

// Runs a shell command in the current namespace; its exit code.
int run(const std::string& command);
// The same, for commands that must work: fails the test with the command's words otherwise.
void must(const std::string& command);
// What a command prints on standard output.
std::string output_of(const std::string& command);

// A program that runs beside the test, in the namespace current at its start; killed at the end.
class Child {
 public:
  explicit Child(const std::string& command);
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&&) = delete;
  ~Child();
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

// Waits until `condition` holds; false when it does not within `seconds`.
bool wait_until(const std::function<bool()>& condition, double seconds = 5);

// Gives this process mounts of its own and an empty tmpfs on `directory`.
void private_directory(const std::string& directory);

}  // namespace sekisho::netns
