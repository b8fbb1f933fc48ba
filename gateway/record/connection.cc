#include "gateway/record/connection.h"

#include <array>
#include <utility>

namespace sekisho {

std::string_view to_string(ConnState state) {
  static constexpr std::array<std::string_view, 13> kNames{
      "OTH", "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR"};
  return kNames[std::to_underlying(state)];
}

std::string_view to_string(AppProtocol service) {
  static constexpr std::array<std::string_view, 6> kNames{"", "ssl", "ssh", "quic", "dns", "http"};
  return kNames[std::to_underlying(service)];
}

}  // namespace sekisho
