#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/notice/delivery.h"
#include "gateway/notice/mail.h"
#include "gateway/notice/notice.h"
#include "gateway/notice/webhook.h"

namespace {

// Before the empty line a mail has exactly its nine headers, each in lines of ASCII.
void check_mail(const std::string& mail) {
  const std::string_view head = std::string_view(mail).substr(0, mail.find("\r\n\r\n") + 2);
  int headers = 0;
  for (std::size_t at = 0; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, end - at);
    if (line.empty() || line.size() > 998) std::abort();
    if (line.front() != ' ') ++headers;
    for (const char c : line)
      if (c < ' ' || c > '~') std::abort();
    at = end + 2;
  }
  if (headers != 9) std::abort();
}

}  // namespace

// Whatever lies in the outbox is a notice or is refused; a notice is written as it was read, and
// makes a mail with the headers of a mail. The same for what sekisho-notify reports.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sekisho::notice;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto report = read_report(text, "f")) {
    const auto again = read_report(write_report(*report), "f");
    if (!again || *again != *report) std::abort();
  }
  (void)plain(text, 20);
  const auto notice = read_notice(text, "f");
  if (!notice) return 0;
  const auto again = read_notice(write_notice(*notice), "f");
  if (!again || *again != *notice) std::abort();
  for (const Language language : {Language::en, Language::ja}) {
    for (const std::vector<Notice>& notices :
         {std::vector{*notice}, std::vector{*notice, *notice}}) {
      const Message message = message_of(notices, language);
      check_mail(mail_of(message, "a@example.com", "b@example.com", notice->time));
      if (!sekisho::read_json(webhook_of(message, notices), "f")) std::abort();
    }
  }
  return 0;
}
