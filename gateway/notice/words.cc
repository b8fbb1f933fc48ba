#include "gateway/notice/words.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace sekisho::notice {

namespace {

constexpr std::size_t kMostLines = 100;  // of several notices in one message
constexpr std::size_t kShort = 160;      // bytes of a text in such a line

struct Words {
  std::array<std::string_view, 6> headlines;  // by Kind
  std::array<std::string_view, 6> advice;
  std::array<std::string_view, 4> severities;
  std::string_view gateway, object, time, severity, actor, reason, advice_label, number, notices;
  std::string_view and_more, all_in_record, comma;
};

constexpr Words kEnglish{
    .headlines = {"Access was cut", "Access was given back", "A device was reported",
                  "The kernel was changed from outside", "This is a test",
                  "A notification could not be delivered"},
    .advice = {"See who and why: sekisho audit list --limit 10",
               "Nothing, if you know of it: sekisho audit list --limit 10",
               "See what was found: sekisho audit list --limit 10",
               "Find out who changes it: sekisho status; sekisho audit list --limit 10",
               "Nothing: notifications arrive.", "Look at: sekisho doctor"},
    .severities = {"low", "medium", "high", "critical"},
    .gateway = "Gateway",
    .object = "Object",
    .time = "Time",
    .severity = "Severity",
    .actor = "By",
    .reason = "Reason",
    .advice_label = "What to do",
    .number = "Notice",
    .notices = " notices",
    .and_more = " more",
    .all_in_record = "All of them: sekisho audit list --limit 1000",
    .comma = ", "};

constexpr Words kJapanese{
    .headlines = {"通信を遮断しました", "遮断を解除しました", "端末の異常が報告されました",
                  "カーネルの設定が外から変更されました", "これはテストです",
                  "通知を届けられませんでした"},
    .advice = {"だれがなぜ遮断したかを確認: sekisho audit list --limit 10",
               "心当たりがあれば不要です: sekisho audit list --limit 10",
               "何が見つかったかを確認: sekisho audit list --limit 10",
               "だれが変更しているかを確認: sekisho status; sekisho audit list --limit 10",
               "不要です。通知は届いています。", "確認: sekisho doctor"},
    .severities = {"低", "中", "高", "重大"},
    .gateway = "ゲートウェイ",
    .object = "対象",
    .time = "時刻",
    .severity = "重大度",
    .actor = "操作者",
    .reason = "理由",
    .advice_label = "対応",
    .number = "通知番号",
    .notices = " 件の通知",
    .and_more = " 件",
    .all_in_record = "すべての記録: sekisho audit list --limit 1000",
    .comma = "、"};

const Words& words_of(Language language) {
  return language == Language::ja ? kJapanese : kEnglish;
}

std::string_view headline(const Words& words, Kind kind) {
  return words.headlines[static_cast<std::size_t>(kind)];
}

void add_line(std::string& text, std::string_view label, std::string_view value) {
  if (value.empty()) return;
  text.append(label).append(": ").append(plain(value)).append("\n");
}

Message one(const Notice& notice, const Words& words) {
  Message message{.id = notice.id};
  message.subject.append("[").append(plain(notice.gateway)).append("] ");
  message.subject += headline(words, notice.kind);
  if (!notice.object.empty()) message.subject += ": " + plain(notice.object);
  std::string& text = message.text;
  text.append(headline(words, notice.kind)).append("\n\n");
  add_line(text, words.gateway, notice.gateway);
  add_line(text, words.object, notice.object);
  add_line(text, words.time, to_string(notice.time));
  add_line(text, words.severity, words.severities[static_cast<std::size_t>(notice.severity)]);
  add_line(text, words.actor, notice.actor);
  add_line(text, words.reason, notice.reason);
  for (const Fact& fact : notice.facts) add_line(text, plain(fact.name), fact.text);
  text += "\n";
  add_line(text, words.advice_label, words.advice[static_cast<std::size_t>(notice.kind)]);
  add_line(text, words.number, notice.id);
  return message;
}

std::string line_of(const Notice& notice, const Words& words) {
  std::string line = to_string(notice.time) + "  ";
  line += headline(words, notice.kind);
  for (const std::string* text : {&notice.object, &notice.actor, &notice.reason}) {
    if (!text->empty()) line += "  " + plain(*text, kShort);
  }
  return line + "\n";
}

// "Access was cut 3, This is a test 1"
std::string counted(std::span<const Notice> notices, const Words& words) {
  std::string text;
  for (std::size_t kind = 0; kind < words.headlines.size(); ++kind) {
    const auto count = std::ranges::count(notices, static_cast<Kind>(kind), &Notice::kind);
    if (count == 0) continue;
    if (!text.empty()) text += words.comma;
    text.append(words.headlines[kind]).append(" ").append(std::to_string(count));
  }
  return text;
}

Message several(std::span<const Notice> notices, const Words& words) {
  const std::string count = std::to_string(notices.size());
  Message message{.id = notices.front().id + "+" + count + "+" + notices.back().id};
  message.subject.append("[").append(plain(notices.back().gateway)).append("] ").append(count);
  message.subject.append(words.notices).append(": ").append(counted(notices, words));
  message.text = counted(notices, words) + "\n\n";
  for (const Notice& notice : notices.first(std::min(notices.size(), kMostLines)))
    message.text += line_of(notice, words);
  if (notices.size() > kMostLines) {
    message.text += "+ " + std::to_string(notices.size() - kMostLines);
    message.text.append(words.and_more).append("\n");
  }
  message.text.append("\n").append(words.all_in_record).append("\n");
  return message;
}

}  // namespace

Message message_of(std::span<const Notice> notices, Language language) {
  const Words& words = words_of(language);
  return notices.size() == 1 ? one(notices.front(), words) : several(notices, words);
}

}  // namespace sekisho::notice
