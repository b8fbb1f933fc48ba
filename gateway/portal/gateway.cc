#include "gateway/portal/gateway.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "gateway/client/client.h"

namespace sekisho::portal {

void Gateway::ask(control::Request request, boost::asio::any_io_executor executor, Answer answer) {
  if (waiting_ >= kMostWaiting) {
    return answer(std::unexpected(Errors{{ErrorCode::unreachable,
                                          "gateway",
                                          "too many devices ask at once",
                                          {},
                                          "try again in a moment"}}));
  }
  ++waiting_;
  boost::asio::post(threads_, [this, request = std::move(request), executor = std::move(executor),
                               answer = std::move(answer)]() mutable {
    control::Reply reply = client::call(socket_, std::move(request));
    --waiting_;
    boost::asio::post(executor, [answer = std::move(answer), reply = std::move(reply)]() mutable {
      answer(std::move(reply));
    });
  });
}

}  // namespace sekisho::portal
