#include "gateway/page/notice.h"

#include <fmt/format.h>

#include <optional>

#include "gateway/page/style.h"

namespace sekisho::page {

namespace {

// The same in two languages.
struct Words {
  std::string_view language;
  std::string_view title;
  std::string text;
  std::string rest;
};

std::optional<std::string> text_of(const Node* answer, std::string_view name) {
  const Node* value = answer == nullptr ? nullptr : answer->find(name);
  if (value == nullptr || value->string() == nullptr) return std::nullopt;
  return escaped(*value->string());
}

std::string section(const Words& words) {
  return fmt::format("<section lang=\"{}\">\n<h1>{}</h1>\n<p>{}</p>\n{}</section>\n",
                     words.language, words.title, words.text, words.rest);
}

std::string facts(std::string_view device_is, std::string_view since_is, std::string_view call,
                  const Node* answer) {
  std::string list;
  const auto row = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, *value);
  };
  row(device_is, text_of(answer, "device"));
  row(since_is, text_of(answer, "since"));
  row(call, text_of(answer, "contact"));
  return list.empty() ? list : "<dl>\n" + list + "</dl>\n";
}

std::string whole(std::string_view state, const Words& japanese, const Words& english) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{} | Sekisho</title>\n<style>{}</style>\n</head>\n<body class=\"{}\">\n<main>\n{}{}"
      "<footer>関所 Sekisho</footer>\n</main>\n</body>\n</html>\n",
      japanese.title, kStyle, state, section(japanese), section(english));
}

std::string isolated(const Node* answer) {
  return whole(
      "isolated",
      {"ja", "この端末はネットワークから切り離されています",
       "安全を確認するまで、この端末からは業務システムもインターネットも使えません。"
       "電源は切らずに、下の連絡先に知らせてください。",
       facts("端末", "いつから", "連絡先", answer) +
           "<p>この案内と名前解決、修復に必要な接続だけが使えます。</p>\n"},
      {"en", "This device has been cut off from the network",
       "Until it is known to be safe, it reaches neither business systems nor the internet. Leave "
       "it "
       "switched on and tell the contact below.",
       facts("Device", "Since", "Contact", answer) +
           "<p>This notice, name service and what is needed for repair still work.</p>\n"});
}

std::string free(const Node* answer) {
  return whole(
      "free",
      {"ja", "この端末に問題はありません", "隔離されていません。通常どおり使えます。",
       facts("端末", "いつから", "連絡先", answer)},
      {"en", "Nothing is wrong with this device", "It is not quarantined and works as usual.",
       facts("Device", "Since", "Contact", answer)});
}

std::string unknown() {
  return whole(
      "unknown",
      {"ja", "状態を確認できません",
       "しばらくして開き直してください。続くときは情報セキュリティ責任者に知らせてください。", ""},
      {"en", "The state of this device is not known",
       "Open this page again in a moment. If it stays so, tell the security officer.", ""});
}

}  // namespace

std::string notice_page(const Node* answer) {
  const Node* state = answer == nullptr ? nullptr : answer->find("state");
  const std::string word =
      state == nullptr || state->string() == nullptr ? std::string() : *state->string();
  if (word == "isolated") return isolated(answer);
  if (word == "free") return free(answer);
  return unknown();
}

std::string_view content_security_policy() {
  return "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
         "frame-ancestors 'none'";
}

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

}  // namespace sekisho::page
