#ifndef HAPAX_SERVER_HTTP_MESSAGE_H_
#define HAPAX_SERVER_HTTP_MESSAGE_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace hapax {

// Headers in their order; those of a request have lower-case names.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// A request of HTTP/1.1 that has arrived as a whole.
struct HttpRequest {
  std::string method;  // Such as "GET".
  std::string target;  // As sent: a path that begins with "/", and perhaps "?" and a query.
  // The parts of the target, still percent-encoded. If it begins with "/with-client-token/TOKEN", that is the prefix,
  // and not in the path. A path is never empty.
  std::string prefix;
  std::string path;
  std::string query;  // Without the "?".
  // The token of the prefix, decoded; empty without one.
  std::string prefix_token;
  HttpHeaders headers;
  std::string body;

  std::string peer;  // As gRPC writes it, such as "ipv4:127.0.0.1:50123".
  bool is_encrypted = false;
  // From the verified certificate of the peer; empty if it presented none.
  std::vector<std::string> certificate_uris;
  std::string certificate_common_name;
  // Set once the client has gone; its reply reaches nobody.
  std::shared_ptr<const std::atomic<bool>> is_gone;

  // The first header of a lower-case name.
  [[nodiscard]] std::optional<std::string_view> Header(std::string_view name) const;
  // Where the client found the server: "http://host:port" and the prefix; for links in replies. Without a header Host
  // it is the prefix alone.
  [[nodiscard]] std::string BaseUrl() const;
};

// Sets path, query, prefix and prefix_token from the target.
// Errors: INVALID_ARGUMENT, the target is no path, or its token cannot be decoded.
[[nodiscard]] absl::Status ReadTarget(HttpRequest& request);

struct HttpReply {
  int status = 200;
  std::string content_type;  // Empty: the reply has no body.
  HttpHeaders headers;       // Besides those of the connection, the content and the date.
  std::string body;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_HTTP_MESSAGE_H_
