#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/control/operations.h"
#include "policy/base/result.h"
#include "policy/model/node.h"

// What goes over the control socket: a 4-byte big-endian length, then so many bytes of JSON. One
// request, one reply, any number of times.
namespace sekisho::control {

inline constexpr std::size_t kMaxFrameBytes = kMaxDocumentBytes + (std::size_t{1} << 20);
inline constexpr std::size_t kFrameHeaderBytes = 4;

// What a request's document is called in the places of errors ("policy:3:7"): a request carries its
// text, who sent it knows the file.
inline constexpr std::string_view kDocumentName = "policy";

// {"operation":"person.add","parameters":{"id":"tanaka", ...}}
struct Request {
  OperationId operation = OperationId::status;
  Node parameters;  // a table holding only what the operation declares, each of its declared kind
};

// {"result": ...} or {"errors":[{"code","object","cause","place","advice"}, ...]}
using Reply = Checked<Node>;

std::string frame(std::string_view payload);
// The length that a header announces; an error where it is over kMaxFrameBytes.
Result<std::size_t> frame_length(std::span<const std::uint8_t, kFrameHeaderBytes> header);

std::string encode(const Request& request);
// Checks the operation's name and its parameters against the table.
Checked<Request> decode_request(std::string_view json);

std::string encode(const Reply& reply);
Reply decode_reply(std::string_view json);

// "invalid", "not_found", ...: the stable names of error codes.
std::string_view to_string(ErrorCode code);

}  // namespace sekisho::control
