#pragma once

#include <string>
#include <string_view>

#include "gateway/store/records.h"

namespace sekisho::store {

// FIPS 180-4, by OpenSSL.
Digest sha256(std::string_view bytes);
// 64 lower-case digits.
std::string to_hex(const Digest& digest);

}  // namespace sekisho::store
