#include "tests/fuzz/document_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sekisho::check_document({reinterpret_cast<const char*>(data), size}, sekisho::Syntax::toml);
  return 0;
}
