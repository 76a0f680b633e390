// A bare HTTP/1.1 server on Boost.Beast with a prepared reply: the upper limit that calls through a door are compared
// with. It reads each request to its end, as Hapax does, and does nothing else.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"

ABSL_FLAG(int, port, 0, "Port of 127.0.0.1 to serve on; 0 takes a free one");
ABSL_FLAG(int, reply_bytes, 1050, "Size of the body of each reply: that of Hapax to a launch of one instance");

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, const std::string& body) : stream_(std::move(socket)), body_(body) {
    stream_.socket().set_option(tcp::no_delay(true));
  }

  void Read() {
    request_ = {};
    http::async_read(stream_, buffer_, request_, [self = shared_from_this()](error_code error, size_t /*bytes*/) {
      if (!error) self->Reply();
    });
  }

 private:
  void Reply() {
    reply_ = {http::status::ok, request_.version()};
    reply_.set(http::field::content_type, "text/xml;charset=UTF-8");
    reply_.body() = body_;
    reply_.prepare_payload();
    http::async_write(stream_, reply_, [self = shared_from_this()](error_code error, size_t /*bytes*/) {
      if (!error) self->Read();
    });
  }

  beast::tcp_stream stream_;
  const std::string& body_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> reply_;
};

void Accept(tcp::acceptor& acceptor, const std::string& body) {
  acceptor.async_accept([&acceptor, &body](error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Connection>(std::move(socket), body)->Read();
    Accept(acceptor, body);
  });
}

}  // namespace

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), static_cast<uint16_t>(absl::GetFlag(FLAGS_port))});
  std::printf("http_echo: listening on 127.0.0.1:%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  const std::string body(static_cast<size_t>(absl::GetFlag(FLAGS_reply_bytes)), 'x');
  Accept(acceptor, body);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&io](error_code /*error*/, int /*signal*/) { io.stop(); });
  io.run();
  return 0;
}
