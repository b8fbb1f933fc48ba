#pragma once

#include <cstdint>
#include <string>

namespace sekisho::bench {

// The first byte of what a flow sends says what it is.
inline constexpr char kEcho = 'e', kUpload = 'u', kDownload = 'd';
inline constexpr int kTickMs = 5;      // of bulk flows
inline constexpr int kIdleTicks = 50;  // an idle flow speaks every 250 ms
inline constexpr std::size_t kBulkBytes = 1200;

// Wall clock, nanoseconds: what packets are stamped with.
std::int64_t now_ns();

// For as many descriptors as the flows need.
void raise_limits();

[[noreturn]] void give_up(const std::string& what);

void serve(std::uint16_t port);
void run_flows(std::uint16_t port, const std::string& v4, const std::string& v6);
void flood(const std::string& address, std::uint16_t port);
void watch(int count, char** interfaces);

}  // namespace sekisho::bench
