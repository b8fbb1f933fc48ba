#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "gateway/store/records.h"

namespace sekisho::store {

// FIPS 180-4, by OpenSSL.
Digest sha256(std::string_view bytes);
// Of all of them, one after the other.
Digest sha256(std::initializer_list<std::string_view> parts);
// 64 lower-case digits.
std::string to_hex(const Digest& digest);

}  // namespace sekisho::store
