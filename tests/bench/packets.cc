#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "policy/base/ip.h"
#include "tests/bench/link.h"
#include "tests/netns/gateway/packet.h"

// Devices and servers on both sides of a gateway: bench_packets DEVICES SERVERS PAIRS, where
// DEVICES and SERVERS are namespaces whose interfaces `tun` and `eth0` lead to the gateway, and
// each line of the file PAIRS is a device's address and a /24 that it may reach. Commands on
// standard input, one answer a line:
//
//   new COUNT PORT   so many SYNs, each of a flow never seen before
//   open COUNT       so many flows to 443, to where both sides have proven to speak TLS
//   out COUNT        so many packets of 64 bytes over the open flows, from the devices
//   back COUNT       and from the servers
//
// Of `new`, `out` and `back`: {"sent":N,"arrived":N,"cpu_ns":N}; of `open`: {"opened":N}.
namespace sekisho::bench {
namespace {

using netns::kAck;
using netns::kSyn;
using netns::Packet;

constexpr std::uint16_t kHttps = 443;
// What Linux sends: maximum segment size, SACK, time stamps, window scale.
const std::string kOptions("\x02\x04\x05\xb4\x04\x02\x08\x0a\0\0\0\x01\0\0\0\0\x01\x03\x03\x07",
                           20);
constexpr std::uint32_t kHandshakeSize = 10;
const std::string kHandshake("\x16\x03\x01\x00\x05hello", kHandshakeSize);
const std::string kData(10, 'x');  // 64 bytes with all headers
constexpr std::uint32_t kClientBegins = 1'000, kServerBegins = 5'000;

struct Pair {
  IpAddress device;
  IpAddress network;
};

std::vector<Pair> read_pairs(const std::string& file) {
  std::ifstream lines(file);
  std::vector<Pair> pairs;
  for (std::string device, network; lines >> device >> network;) {
    const auto from = IpAddress::parse(device), to = IpAddress::parse(network);
    if (!from || !to) give_up(fmt::format("{}: {} {}", file, device, network));
    pairs.push_back({*from, *to});
  }
  if (pairs.empty()) give_up(file + " has no pairs");
  return pairs;
}

IpAddress host_of(const IpAddress& network, std::uint64_t number) {
  const auto bytes = network.bytes();
  const std::uint8_t address[] = {bytes[0], bytes[1], bytes[2],
                                  static_cast<std::uint8_t>(1 + number % 254)};
  return IpAddress::from_bytes(address);
}

class Bench {
 public:
  Bench(const std::string& devices, std::string servers, const std::string& pairs)
      : servers_space_(std::move(servers)),
        devices_(devices, "tun"),
        servers_(servers_space_, "eth0"),
        pairs_(read_pairs(pairs)) {}

  void answer(const std::string& command, std::size_t count, std::uint16_t port) {
    if (command == "new") {
      std::vector<std::string> frames;
      while (frames.size() < count) frames.push_back(Link::frame(to_bytes(syn(port))));
      say(devices_, servers_, frames);
    } else if (command == "open") {
      open(count);
    } else if (command == "out") {
      say(devices_, servers_, first(out_, count));
    } else if (command == "back") {
      say(servers_, devices_, first(back_, count));
    } else {
      give_up("no such command: " + command);
    }
  }

 private:
  // Source ports are such that masquerade keeps them (1024 to 32767).
  Packet syn(std::uint16_t port) {
    const std::uint64_t number = flows_++;
    const Pair& pair = pairs_[number % pairs_.size()];
    return {.source = pair.device,
            .destination = host_of(pair.network, number),
            .source_port = static_cast<std::uint16_t>(1024 + number % 31'744),
            .destination_port = port,
            .tcp_flags = kSyn,
            .sequence = kClientBegins,
            .tcp_options = kOptions};
  }

  void open(std::size_t count) {
    Capture capture(servers_space_, "eth0");
    out_.clear(), back_.clear();
    while (out_.size() < count) {
      Packet client = syn(kHttps);
      devices_.send({{Link::frame(to_bytes(client))}});
      Packet server = asked(capture, client).back();
      server.sequence = kServerBegins, server.acknowledged = kClientBegins + 1;
      server.tcp_flags = kSyn | kAck, server.tcp_options = kOptions;
      servers_.send({{Link::frame(to_bytes(server))}});

      client.tcp_flags = server.tcp_flags = kAck;
      client.tcp_options = server.tcp_options = {};
      client.payload = server.payload = kHandshake;
      client.sequence += 1, server.sequence += 1;
      client.acknowledged = server.sequence;
      devices_.send({{Link::frame(to_bytes(client))}});
      client.sequence += kHandshakeSize;
      server.acknowledged = client.sequence;
      servers_.send({{Link::frame(to_bytes(server))}});
      server.sequence += kHandshakeSize;
      client.acknowledged = server.sequence;

      client.payload = server.payload = kData;
      out_.push_back(Link::frame(to_bytes(client)));
      back_.push_back(Link::frame(to_bytes(server)));
    }
    fmt::print("{{\"opened\":{}}}\n", out_.size());
  }

  // The SYN as it came to the server, with the gateway's address and port.
  static Packet asked(Capture& capture, const Packet& client) {
    while (true) {
      const std::string bytes = capture.next();
      if (bytes.empty()) give_up("no SYN came for " + client.destination.to_string());
      const auto packet = netns::parse(bytes);
      if (packet && packet->tcp_flags == kSyn && packet->destination == client.destination)
        return *packet;
    }
  }

  static std::span<const std::string> first(const std::vector<std::string>& frames,
                                            std::size_t count) {
    if (frames.size() < count) give_up("not so many flows are open");
    return std::span(frames).first(count);
  }

  static void say(Link& from, const Link& to, std::span<const std::string> frames) {
    const std::uint64_t before = to.arrived();
    const Cost cost = from.send(frames);
    fmt::print("{{\"sent\":{},\"arrived\":{},\"cpu_ns\":{}}}\n", cost.packets,
               to.arrived() - before, cost.cpu_ns);
  }

  std::string servers_space_;
  Link devices_, servers_;
  std::vector<Pair> pairs_;
  std::uint64_t flows_ = 0;
  std::vector<std::string> out_, back_;
};

}  // namespace
}  // namespace sekisho::bench

int main(int argc, char** argv) {
  if (argc != 4) sekisho::bench::give_up("usage: bench_packets DEVICES SERVERS PAIRS");
  sekisho::bench::Bench bench(argv[1], argv[2], argv[3]);
  std::string command;
  std::size_t count = 0;
  while (std::cin >> command >> count) {
    std::uint16_t port = 0;
    if (command == "new") std::cin >> port;
    bench.answer(command, count, port);
    std::fflush(stdout);
  }
}
