#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/page/flag.h"
#include "gateway/page/notice.h"

// Whatever a device sends is a flag about itself or is refused: what comes through is what the
// gateway reads, and names no other device. The same bytes on the page are text alone.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sekisho;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string shown = page::escaped(text);
  if (shown.find_first_of("<>\"'") != std::string::npos) std::abort();
  const auto request = page::read_flag(text, "token", *IpAddress::parse("10.66.0.2"));
  if (!request) return 0;
  if (!control::decode_request(control::encode(*request))) std::abort();
  const Node* target = request->parameters.find("target");
  const Node* address = request->parameters.find("address");
  if (target != nullptr || *address->string() != "10.66.0.2") std::abort();
  return 0;
}
