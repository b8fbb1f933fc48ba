#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "gateway/notice/delivery.h"
#include "gateway/notice/notice.h"

namespace sekisho::outbox {

inline constexpr std::size_t kMostWaiting = 1000;  // notices

// sekishod's end of the outbox. One thread.
class Writer {
 public:
  explicit Writer(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Gives the notice an id and writes it down; it is on the disk when this returns. Where there is
  // no outbox: not_found. What is not written, for want of room or because kMostWaiting notices are
  // there already, counts as lost.
  Result<std::string> put(notice::Notice notice);

  // How things stand. Cheap: reads again only what has changed.
  notice::Outlook look();

 private:
  using Stamps = std::array<std::int64_t, 9>;
  std::string new_id();
  void read(int folder);

  std::filesystem::path folder_;
  std::chrono::milliseconds last_id_{};
  notice::Outlook seen_;
  std::string put_trouble_;  // of the last put()
  std::uint64_t lost_ = 0;
  Stamps stamps_{};
  std::chrono::steady_clock::time_point read_at_{};
};

}  // namespace sekisho::outbox
