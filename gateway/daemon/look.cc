#include "gateway/daemon/look.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sekisho::daemon {

namespace {

constexpr std::size_t kChunk = std::size_t{64} * 1024;

// What the copy writes: each text, led by what it is and ended by NUL; last of all that it is
// whole.
constexpr char kRule = 'r', kRest = 'o', kError = 'e', kWhole = '.';

void put(std::string& text, char what, const std::string& line) {
  text += what;
  text += line;
  text += '\0';
}

std::string written(const Result<Differences>& found) {
  std::string text;
  if (!found) {
    put(text, kError, to_string(found.error()));
  } else {
    for (const std::string& line : found->rules) put(text, kRule, line);
    for (const std::string& line : found->rest) put(text, kRest, line);
  }
  put(text, kWhole, {});
  return text;
}

Result<Differences> read_back(const std::string& text) {
  Differences found;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\0'); end != std::string::npos; end = text.find('\0', begin)) {
    const char what = text[begin];
    const std::string line = text.substr(begin + 1, end - begin - 1);
    begin = end + 1;
    if (what == kWhole) return found;
    if (what == kError) return fail(ErrorCode::failed, {}, line);
    (what == kRule ? found.rules : found.rest).push_back(line);
  }
  return fail(ErrorCode::failed, "kernel", "the look at it ended without an answer");
}

// Everything but the standard descriptors and the pipe, so that the copy holds nobody's connection
// open and cannot speak on a socket that the daemon speaks on.
void close_all_but(int kept) {
  const auto last = static_cast<unsigned>(kept);
  close_range(3, last - 1, 0);
  close_range(last + 1, ~0U, 0);
}

[[noreturn]] void be_the_copy(int out, const Look::Question& question) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int each : {SIGTERM, SIGINT, SIGHUP}) signal(each, SIG_DFL);
  close_all_but(out);
  const std::string text = written(question());
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(out, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) break;
    done += static_cast<std::size_t>(wrote);
  }
  _exit(0);
}

}  // namespace

Look::Look(boost::asio::io_context& context) : pipe_(context), patience_(context) {}

Look::~Look() {
  if (copy_ < 0) return;
  kill(copy_, SIGKILL);
  waitpid(copy_, nullptr, 0);
}

void Look::start(const Question& question, Answer answer) {
  answer_ = std::move(answer);
  told_.clear();
  std::array<int, 2> ends{};
  const auto refuse = [&](const char* what) {
    const Error error{ErrorCode::failed, "kernel",
                      std::string("cannot be looked at: ") + what + ": " + std::strerror(errno)};
    std::exchange(answer_, nullptr)(std::unexpected(error), {});
  };
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return refuse("pipe");
  copy_ = fork();
  if (copy_ == 0) be_the_copy(ends[1], question);
  close(ends[1]);
  if (copy_ < 0) {
    close(ends[0]);
    return refuse("fork");
  }
  pipe_.assign(ends[0]);
  patience_.expires_after(kPatience);
  patience_.async_wait([this](boost::system::error_code error) {
    if (!error && copy_ > 0) kill(copy_, SIGKILL);
  });
  read();
}

void Look::read() {
  chunk_.resize(kChunk);
  pipe_.async_read_some(boost::asio::buffer(chunk_),
                        [this](boost::system::error_code error, std::size_t length) {
                          if (error == boost::asio::error::operation_aborted) return;
                          told_.append(chunk_, 0, length);
                          if (error) return finish();
                          read();
                        });
}

void Look::finish() {
  patience_.cancel();
  pipe_.close();
  rusage usage{};
  wait4(std::exchange(copy_, -1), nullptr, 0, &usage);
  const auto span = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  std::exchange(answer_, nullptr)(read_back(told_), span(usage.ru_utime) + span(usage.ru_stime));
}

}  // namespace sekisho::daemon
