#include "gateway/client/client.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <utility>

namespace sekisho::client {

namespace {

namespace asio = boost::asio;

control::Reply give_up(ErrorCode code, const std::filesystem::path& socket, std::string cause,
                       std::string advice) {
  return std::unexpected(Errors{{code, socket.string(), std::move(cause), {}, std::move(advice)}});
}

}  // namespace

control::Reply call(const std::filesystem::path& path, control::Request request) {
  asio::io_context context;
  asio::local::stream_protocol::socket socket(context);
  boost::system::error_code error;
  socket.connect(asio::local::stream_protocol::endpoint(path.string()), error);
  if (error == boost::system::errc::permission_denied) {
    return give_up(ErrorCode::not_permitted, path, "you may not speak to the gateway",
                   "run it as root or as a member of the group sekisho-admin");
  }
  if (error) {
    return give_up(ErrorCode::unreachable, path, "the gateway does not answer: " + error.message(),
                   "is sekishod running? see: systemctl status sekishod");
  }
  std::string frame = control::frame(control::encode(std::exchange(request, {})));
  if (frame.size() > control::kMaxFrameBytes) {
    return give_up(ErrorCode::invalid, path, "the document is too large",
                   "send one of at most 32 MiB");
  }
  const auto lost = [&] {
    return give_up(
        ErrorCode::unreachable, path, "the gateway closed the connection: " + error.message(),
        "look at its log: journalctl -u sekishod; whether the change was made: sekisho audit list");
  };
  asio::write(socket, asio::buffer(frame), error);
  if (error) return lost();
  frame = {};  // a large document is not kept while the gateway works on it
  std::array<std::uint8_t, control::kFrameHeaderBytes> header{};
  asio::read(socket, asio::buffer(header), error);
  if (error) return lost();
  const auto length = control::frame_length(header);
  if (!length) return std::unexpected(Errors{length.error()});
  std::string payload(*length, '\0');
  asio::read(socket, asio::buffer(payload), error);
  if (error) return lost();
  return control::decode_reply(payload);
}

}  // namespace sekisho::client
