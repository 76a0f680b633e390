#ifndef HAPAX_SERVER_DOORS_EC2_SIGNATURE_H_
#define HAPAX_SERVER_DOORS_EC2_SIGNATURE_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hapax/server/http/form.h"
#include "hapax/server/http/message.h"

namespace hapax::ec2 {

// A signed request with its parameters decoded.
struct SignedRequest {
  const HttpRequest& request;
  const FormPairs& query;
  const FormPairs& body;  // Of a form; else empty.
};

// The signature that a request carries, not verified yet.
struct Signature {
  enum class Form {
    kHeader,     // Version 4, in header Authorization.
    kPresigned,  // Version 4, in the query.
    kVersion2,   // Version 2 with HmacSHA256, in the parameters.
  };

  Form form = Form::kHeader;
  std::string access_key_id;
  std::string date;            // As signed; of version 4 such as "20261128T070000Z".
  std::string expires;         // As signed; empty for none.
  std::string scope;           // Of version 4: "DATE/REGION/SERVICE/aws4_request".
  std::string region;          // Of the scope; empty for version 2.
  std::string signed_headers;  // Of version 4: lower-case names joined by ";".
  std::string value;           // Hexadecimal digits, or the base64 of version 2.
};

// The request's signature; nullopt if it has none.
// Errors: IncompleteSignature, as of RefuseWith.
[[nodiscard]] absl::StatusOr<std::optional<Signature>> SignatureOf(const SignedRequest& request);

// Verifies a signature of the request; the time it takes tells nothing of the secret. A version 4 signature covers
// method, path, query, header Host, the date, the body, and the headers it names. Version 2 covers method, host, path
// and all parameters.
//
// Errors, as of RefuseWith: SignatureDoesNotMatch; RequestExpired, the date is more than 15 minutes from `now`, or a
// presigned request has expired; IncompleteSignature, it does not cover Host or the date.
[[nodiscard]] absl::Status Verify(const Signature& signature, const SignedRequest& request, std::string_view secret,
                                  absl::Time now);

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_SIGNATURE_H_
