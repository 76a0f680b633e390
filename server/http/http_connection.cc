#include "hapax/server/http/http_connection.h"

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "hapax/base/clock.h"
#include "hapax/server/http/http_tls.h"

namespace hapax {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

// Input beyond the header that is read at once.
constexpr size_t kReadBytes = size_t{64} << 10;
// After the last reply: what the client still sends is read, since a reset would take the reply from it.
constexpr auto kLinger = std::chrono::seconds(2);
constexpr size_t kMaxLingerReads = 64;
constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";

// Not forever for an infinite time, which chrono cannot hold.
std::chrono::nanoseconds ToChrono(absl::Duration duration) {
  return absl::ToChronoNanoseconds(std::min(duration, absl::Hours(24 * 365)));
}

std::string PeerOf(const asio::ip::tcp::endpoint& peer) {
  const asio::ip::address& address = peer.address();
  if (address.is_v6() && !address.to_v6().is_v4_mapped()) {
    return absl::StrCat("ipv6:%5B", address.to_string(), "%5D:", peer.port());
  }
  const std::string text = address.is_v4() ? address.to_string() : absl::StrCat(address.to_string()).substr(7);
  return absl::StrCat("ipv4:", text, ":", peer.port());
}

HttpReply PlainReply(int status, const std::string& text) {
  return {.status = status, .content_type = "text/plain", .headers = {}, .body = absl::StrCat(text, "\n")};
}

// The reply to what is no request, or nullopt if the connection has just ended.
std::optional<HttpReply> ReplyTo(const error_code& error) {
  if (error == http::error::header_limit) return PlainReply(431, "the headers are too long");
  if (error == http::error::body_limit) return PlainReply(413, "the body is too long");
  if (error.category() != http::make_error_code(http::error::bad_method).category() ||
      error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  return PlainReply(400, absl::StrCat("this is no HTTP/1.1 request: ", error.message()));
}

// Servers differ in how they take a list of lengths, or another coding.
template <class Fields>
bool HasPlainLength(const Fields& request) {
  const auto length = request[http::field::content_length];
  const auto coding = request[http::field::transfer_encoding];
  if (!coding.empty()) {
    return request.version() >= 11 &&
           absl::EqualsIgnoreCase(absl::string_view(coding.data(), coding.size()), "chunked");
  }
  return std::all_of(length.begin(), length.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

std::string DateNow() { return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone()); }

bool HasNoContent(int status) { return status == 204 || status == 304; }

template <class Stream>
class ConnectionOver final : public HttpConnection, public std::enable_shared_from_this<ConnectionOver<Stream>> {
 public:
  ConnectionOver(Host& host, Stream stream)
      : host_(host), stream_(std::move(stream)), buffer_(host.limits().max_header_bytes + kReadBytes) {
    SetIdle();
    error_code error;
    const auto peer = beast::get_lowest_layer(stream_).socket().remote_endpoint(error);
    if (!error) peer_ = PeerOf(peer);
  }
  ~ConnectionOver() override {
    ReturnBytes();
    host_.Forget(*this);
  }

  void Start() override {
    Post([](ConnectionOver& self) {
      self.ExpireAfter(self.limits().handshake_timeout);
      if constexpr (kIsTls) {
        self.stream_.async_handshake(asio::ssl::stream_base::server,
                                     self.Then([](ConnectionOver& own) { own.AwaitFirstByte(); }));
      } else {
        self.AwaitFirstByte();
      }
    });
  }
  void EndWhenIdle() override {
    Post([](ConnectionOver& self) {
      self.is_last_ = true;
      if (self.idle_since() != absl::InfiniteDuration()) self.Close();
    });
  }
  void End() override {
    is_gone_->store(true);
    Post([](ConnectionOver& self) { self.Close(); });
  }

 private:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;
  using Parser = http::request_parser<http::string_body>;

  [[nodiscard]] const ConnectionLimits& limits() const { return host_.limits().limits; }
  [[nodiscard]] bool IsLast() const { return is_last_ || host_.is_draining(); }
  void ExpireAfter(absl::Duration timeout) { beast::get_lowest_layer(stream_).expires_after(ToChrono(timeout)); }

  template <class Step>
  void Post(Step step) {
    asio::post(stream_.get_executor(),
               [self = this->shared_from_this(), step = std::move(step)]() mutable { step(*self); });
  }
  // A handler that goes on if the operation succeeded; else the connection ends.
  template <class Step>
  auto Then(Step step) {
    return [self = this->shared_from_this(), step](const error_code& error, auto... /*bytes*/) {
      if (!error) step(*self);
    };
  }

  void SetIdle() { idle_since_ns_ = absl::ToInt64Nanoseconds(MonotonicNow()); }
  void Close() {
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
  }
  void ReturnBytes() { host_.ReturnBytes(std::exchange(taken_bytes_, 0)); }
  [[nodiscard]] bool TakeBytes(size_t bytes) {
    if (!host_.TakeBytes(bytes)) return false;
    taken_bytes_ += bytes;
    return true;
  }

  // Waits for a request, for as long as was set.
  void AwaitFirstByte() {
    if (IsLast()) return Close();
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(host_.limits().max_header_bytes));
    parser_->body_limit(static_cast<std::uint64_t>(limits().max_message_bytes));
    SetIdle();
    if (buffer_.size() > 0) return ReadHeader();
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = this->shared_from_this()](const error_code& error, size_t bytes) {
                              if (error) return;
                              self->buffer_.commit(bytes);
                              self->ReadHeader();
                            });
  }

  void ReadHeader() {
    idle_since_ns_ = kBusy;
    ExpireAfter(limits().request_timeout);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](const error_code& error, size_t /*bytes*/) {
                              if (error) return self->Refuse(ReplyTo(error));
                              self->OnHeader();
                            });
  }

  void OnHeader() {
    if (!HasPlainLength(parser_->get())) {
      return Refuse(PlainReply(400, "the length of the body must be one number, or the coding chunked alone"));
    }
    const auto expect = parser_->get()[http::field::expect];
    if (!absl::EqualsIgnoreCase(absl::string_view(expect.data(), expect.size()), "100-continue")) return ReadBody();
    asio::async_write(stream_, asio::buffer(kContinue, sizeof(kContinue) - 1),
                      Then([](ConnectionOver& self) { self.ReadBody(); }));
  }

  void ReadBody() {
    if (parser_->is_done()) return Serve();
    http::async_read_some(stream_, buffer_, *parser_,
                          [self = this->shared_from_this()](const error_code& error, size_t bytes) {
                            if (error) return self->Refuse(ReplyTo(error));
                            if (!self->TakeBytes(bytes)) return self->Refuse(PlainReply(503, "too much arrives"));
                            self->ReadBody();
                          });
  }

  // Ends the connection, after a reply if there is one.
  void Refuse(std::optional<HttpReply> reply) {
    if (!reply.has_value()) return;
    is_last_ = true;
    Send(*std::move(reply));
  }

  std::shared_ptr<HttpRequest> TakeRequest() {
    auto message = parser_->release();
    auto request = std::make_shared<HttpRequest>();
    request->method = std::string(message.method_string());
    request->target = std::string(message.target());
    for (const auto& field : message) {
      const auto name = field.name_string();
      const auto value = field.value();
      request->headers.emplace_back(absl::AsciiStrToLower(absl::string_view(name.data(), name.size())),
                                    std::string(value.data(), value.size()));
    }
    is_head_ = message.method() == http::verb::head;
    is_last_ = is_last_ || !message.keep_alive();
    version_ = message.version();
    request->body = std::move(message.body());
    request->peer = peer_;
    request->is_gone = is_gone_;
    if constexpr (kIsTls) {
      request->is_encrypted = true;
      NamePeer(*stream_.native_handle(), *request);
    }
    return request;
  }

  void Serve() {
    std::shared_ptr<HttpRequest> request = TakeRequest();
    const auto hosts = std::count_if(request->headers.begin(), request->headers.end(),
                                     [](const auto& header) { return header.first == "host"; });
    if (hosts > 1 || (hosts == 0 && version_ >= 11)) return Refuse(PlainReply(400, "there must be one header Host"));
    if (const absl::Status read = ReadTarget(*request); !read.ok()) {
      return Refuse(PlainReply(400, std::string(read.message())));
    }
    const Door* const door = host_.DoorFor(*request);
    if (door == nullptr) return Send(PlainReply(404, "there is nothing here"));
    beast::get_lowest_layer(stream_).expires_never();
    // The door may keep the function, but not what it holds.
    door->Serve(*request, host_.calls(), [self = this->shared_from_this(), request](HttpReply reply) mutable {
      const auto own = std::move(self);
      own->Post([kept = std::move(request), reply = std::move(reply)](ConnectionOver& connection) mutable {
        kept = nullptr;
        connection.Send(std::move(reply));
      });
    });
  }

  void Send(HttpReply reply) {
    if (!TakeBytes(reply.body.size())) reply = PlainReply(503, "too much is being sent");
    if (reply.status < 400) is_strangers_ = false;
    response_.emplace();
    response_->result(static_cast<unsigned>(reply.status));
    response_->version(version_);
    response_->set(http::field::date, DateNow());
    for (const auto& [name, value] : reply.headers) response_->insert(name, value);
    if (!reply.content_type.empty()) response_->set(http::field::content_type, reply.content_type);
    if (!HasNoContent(reply.status)) response_->content_length(reply.body.size());
    response_->keep_alive(!IsLast());
    if (!is_head_) response_->body() = std::move(reply.body);
    serializer_.emplace(*response_);
    WriteMore();
  }

  void WriteMore() {
    ExpireAfter(limits().request_timeout);
    http::async_write_some(stream_, *serializer_, Then([](ConnectionOver& self) {
                             if (!self.serializer_->is_done()) return self.WriteMore();
                             self.OnSent();
                           }));
  }

  void OnSent() {
    ReturnBytes();
    if (!response_->keep_alive()) return SayGoodbye();
    is_head_ = false;
    ExpireAfter(limits().max_connection_idle);
    AwaitFirstByte();
  }

  void SayGoodbye() {
    SetIdle();
    beast::get_lowest_layer(stream_).expires_after(kLinger);
    if constexpr (kIsTls) {
      stream_.async_shutdown([self = this->shared_from_this()](const error_code& /*error*/) {});
    } else {
      error_code ignored;
      stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      Linger(kMaxLingerReads);
    }
  }

  void Linger(size_t reads) {
    if (reads == 0) return;
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            Then([reads](ConnectionOver& self) { self.Linger(reads - 1); }));
  }

  Host& host_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::string peer_;
  const std::shared_ptr<std::atomic<bool>> is_gone_ = std::make_shared<std::atomic<bool>>(false);
  std::optional<Parser> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  unsigned version_ = 11;
  bool is_head_ = false;
  bool is_last_ = false;    // Of its requests, the one under way is the last one.
  size_t taken_bytes_ = 0;  // Of the host's.
};

}  // namespace

const Door* HttpConnection::Host::DoorFor(const HttpRequest& request) const {
  for (const Door* door : doors_) {
    if (door->IsFor(request)) return door;
  }
  return nullptr;
}

bool HttpConnection::Host::TakeBytes(size_t bytes) {
  const auto more = static_cast<int64_t>(bytes);
  if ((bytes_ += more) <= limits_.limits.max_connection_bytes) return true;
  bytes_ -= more;
  return false;
}

std::shared_ptr<HttpConnection> HttpConnection::Make(Host& host, beast::tcp_stream stream) {
  return std::make_shared<ConnectionOver<beast::tcp_stream>>(host, std::move(stream));
}

std::shared_ptr<HttpConnection> HttpConnection::Make(Host& host, TlsStream stream) {
  return std::make_shared<ConnectionOver<TlsStream>>(host, std::move(stream));
}

}  // namespace hapax
