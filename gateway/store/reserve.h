#pragma once

#include <filesystem>

namespace sekisho::store {

// Room that is kept on the disk for quarantine: a file of kBytes that is given up where the disk is
// full. Who is put off the network then stays off, also over a restart.
class Reserve {
 public:
  static constexpr int kBytes = 256 * 1024;

  explicit Reserve(std::filesystem::path file) : file_(std::move(file)) {}

  // Makes it, or makes it anew, where the disk has the room; no error where it has not.
  void fill() const;
  // Whether there was any.
  bool give_up() const;

 private:
  std::filesystem::path file_;
};

}  // namespace sekisho::store
