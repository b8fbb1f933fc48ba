#include "gateway/outbox/writer.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include "gateway/outbox/folder.h"

namespace sekisho::outbox {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostNames = 4 * kMostWaiting;
constexpr std::chrono::seconds kReadAgain{30};  // for what the stamps of files do not tell

// Whether sekisho-notify holds its lock: it ends with the process, however that ends.
bool is_held(int folder) {
  const Descriptor lock(openat(folder, kLock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct flock about{};
  about.l_type = F_RDLCK;
  about.l_whence = SEEK_SET;
  return lock && fcntl(lock.get(), F_OFD_GETLK, &about) == 0 && about.l_type != F_UNLCK;
}

std::string hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) text += {kDigits[byte >> 4U], kDigits[byte & 15U]};
  return text;
}

}  // namespace

// Later than the one before, even where the clock stood still or was set back.
std::string Writer::new_id() {
  const auto now =
      std::chrono::floor<milliseconds>(std::chrono::system_clock::now()).time_since_epoch();
  last_id_ = std::max(now, last_id_ + milliseconds(1));
  const auto second = std::chrono::floor<std::chrono::seconds>(last_id_);
  std::string id;
  for (const char c : to_string(Time(second))) {
    if (c != '-' && c != ':' && c != 'Z') id += c;
  }
  const std::string fraction = std::to_string((last_id_ - second).count());
  id += "." + std::string(3 - fraction.size(), '0') + fraction + "Z-";
  std::array<unsigned char, 8> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    random.fill(0);  // the time alone tells one from the other, but for a clock that was set back
  return id + hex(random);
}

Result<std::string> Writer::put(notice::Notice notice) {
  const Descriptor folder = open_folder(folder_);
  if (!folder) {
    if (errno == ENOENT) {
      return fail(ErrorCode::not_found, folder_.string(), "there is no outbox",
                  "set notifications up: man sekisho-notify");
    }
    ++lost_;
    auto error = failed(folder_, "cannot be opened");
    put_trouble_ = to_string(error.error());
    return error;
  }
  const auto refuse = [this](Error error) {
    ++lost_;
    put_trouble_ = to_string(error);
    return std::unexpected(std::move(error));
  };
  auto names = names_in(folder.get(), kMostNames);
  if (!names) return refuse(std::move(names.error()));
  if (ids_in(*names).size() >= kMostWaiting || names->size() == kMostNames) {
    return refuse({ErrorCode::failed,
                   folder_.string(),
                   "is full: " + std::to_string(kMostWaiting) + " notices wait already",
                   {},
                   "see why they are not delivered: systemctl status sekisho-notify"});
  }
  notice.id = new_id();
  std::string id = notice.id;
  auto written = write_file(folder_, folder.get(), id + std::string(kSuffix),
                            notice::write_notice(notice), true);
  if (!written) return refuse(std::move(written.error()));
  put_trouble_.clear();
  return id;
}

notice::Outlook Writer::look() {
  const Descriptor folder = open_folder(folder_);
  if (!folder) {
    seen_ = {};
    stamps_ = {};
    if (errno != ENOENT) {
      seen_.set_up = true;
      seen_.trouble = to_string(failed(folder_, "cannot be opened").error());
    }
  } else {
    Stamps stamps{};
    std::size_t next = 0;
    for (const char* name : {".", kFailed, kStatus}) {
      struct stat about{};
      if (fstatat(folder.get(), name, &about, AT_SYMLINK_NOFOLLOW) == 0) {
        stamps.at(next) = static_cast<std::int64_t>(about.st_ino);
        stamps.at(next + 1) = about.st_mtim.tv_sec;
        stamps.at(next + 2) = about.st_mtim.tv_nsec;
      }
      next += 3;
    }
    const auto now = std::chrono::steady_clock::now();
    if (stamps != stamps_ || now - read_at_ >= kReadAgain) {
      read(folder.get());
      stamps_ = stamps;
      read_at_ = now;
    }
    seen_.running = is_held(folder.get());
  }
  notice::Outlook outlook = seen_;
  outlook.lost = lost_;
  if (!put_trouble_.empty()) outlook.trouble = put_trouble_;
  return outlook;
}

void Writer::read(int folder) {
  seen_ = {};
  seen_.set_up = true;
  const auto names = names_in(folder, kMostNames);
  if (!names) {
    seen_.trouble = to_string(names.error());
    return;
  }
  const auto ids = ids_in(*names);
  seen_.waiting = ids.size();
  if (!ids.empty()) seen_.oldest = notice::time_of_id(ids.front());
  if (const Descriptor failed = open_folder_in(folder, kFailed)) {
    const auto kept = names_in(failed.get(), kMostNames);
    seen_.kept = kept ? ids_in(*kept).size() : 0;
  }
  if (std::ranges::find(*names, kStatus) == names->end()) return;  // it never ran
  const auto text = read_file(folder, kStatus, notice::kMostReportBytes);
  auto report = text ? notice::read_report(*text, (folder_ / kStatus).string())
                     : fail(ErrorCode::failed, (folder_ / kStatus).string(), "cannot be read",
                            "let the group sekisho-notify read it");
  if (report)
    seen_.report = *std::move(report);
  else
    seen_.trouble = to_string(report.error());
}

}  // namespace sekisho::outbox
