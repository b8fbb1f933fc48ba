#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "tests/netns/attacks/scene.h"

// The laptop and programs of the gateway's own: real sockets there, packets by hand here.
namespace sekisho::attacks {

// A TCP connection, whoever opened it.
class GatewaySocket {
 public:
  // Whether what the device says comes to the program, and the other way round.
  bool says(const std::string& text);
  bool hears(const std::string& text);

 protected:
  explicit GatewaySocket(Scene& scene) : scene_(&scene) {}

  Scene* scene_;
  kernel::UniqueFd socket_;
  Packet next_;  // the device's
};

// The device's connection to a listener of the gateway.
class Visit : public GatewaySocket {
 public:
  Visit(Scene& scene, std::uint16_t port);
  bool is_open() const { return static_cast<bool>(socket_); }

 private:
  kernel::UniqueFd listener_;
};

// A connection that the gateway opens to port 22 of the device.
class Call : public GatewaySocket {
 public:
  explicit Call(Scene& scene);
  // Whether its SYN came to the device.
  bool is_out() const { return is_out_; }
  // Whether the device's answer comes to the program.
  bool is_answered();

 private:
  void connect();

  Packet syn_;
  bool is_out_ = false;
};

// The device's questions to the gateway's DNS over UDP.
class Questions {
 public:
  explicit Questions(Scene& scene);
  // Whether the next one comes to the program, and whether its answer comes to the device.
  bool asks();
  bool is_answered();

 private:
  Scene* scene_;
  kernel::UniqueFd socket_;
  Packet question_;
  sockaddr_in6 from_{};
  socklen_t size_ = 0;
};

}  // namespace sekisho::attacks
