#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gateway/notice/delivery.h"
#include "gateway/notice/notice.h"
#include "gateway/outbox/folder.h"

namespace sekisho::outbox {

// sekisho-notify's end of the outbox: the folder is its queue, and what is done is a file there, so
// that it can end at any moment. One thread.
class Queue {
 public:
  // Waits for no one: where another process has the outbox, that is an error.
  static Result<Queue> open(const std::filesystem::path& folder);

  // Readable when something was put into the outbox; arrivals() reads it away.
  int fd() const { return watch_.get(); }

  // Notices that `known` does not know, in order. What is none is put aside and counted.
  Result<std::vector<notice::Notice>> arrivals(
      const std::function<bool(const std::string&)>& known);
  std::size_t put_aside() const { return put_aside_; }  // since it was opened

  // Which ways out are done with which notice: {id: {channel: delivered, or failed}}.
  using Marks = std::map<std::string, std::map<std::string, bool>>;
  Result<Marks> marks() const;
  Result<void> mark(const std::string& id, const std::string& channel, bool delivered);

  // It leaves the queue; `keep`: for `failed`, whence a person can put it back.
  Result<void> finish(const std::string& id, bool keep);

  notice::Report report() const;  // what was written last; empty where that cannot be read
  Result<void> write(const notice::Report& report);

 private:
  explicit Queue(std::filesystem::path path) : path_(std::move(path)) {}
  void set_aside(const std::string& name);
  void forget_marks(const std::string& id, bool failures_alone);
  void forget_strays();
  void keep_few(const Descriptor& folder, std::size_t most);

  std::filesystem::path path_;
  Descriptor folder_, failed_, bad_, marks_, lock_, watch_;
  std::set<std::string> stuck_;  // could not be put aside
  std::size_t put_aside_ = 0;
};

}  // namespace sekisho::outbox
