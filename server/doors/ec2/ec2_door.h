#ifndef HAPAX_SERVER_DOORS_EC2_EC2_DOOR_H_
#define HAPAX_SERVER_DOORS_EC2_EC2_DOOR_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/base/clock.h"
#include "hapax/server/compute/catalog/catalog.h"
#include "hapax/server/doors/ec2/access_keys.h"
#include "hapax/server/http/door.h"

namespace hapax::ec2 {

// How the server identifies callers, as of flag --auth.
enum class Auth {
  kNone,         // The access key id is the tenant, if it may be the name of one.
  kApiKey,       // The session token is the API key.
  kCertificate,  // The client's certificate; a signature is not needed.
};

struct Ec2Options {
  Auth auth = Auth::kNone;
  // Of a request without a signature, or signed for a region that the catalog has not.
  std::string default_region = "us-east-1";
  // Whether a mutating call without a token takes header amz-sdk-invocation-id for one. An SDK sends the same in all
  // attempts of one call, so its own retries then happen once. It costs a stored token each call.
  bool invocation_id_tokens = true;
  // See AccessKeys; empty for none. With it, signatures by its keys are verified and identify their callers.
  std::string access_keys_file;
};

// EC2's Query API: GET and POST of "/" with an Action, of any Version (docs/doors/EC2.md).
//
// Thread-safety: safe; Reload for one thread at a time.
// Lifetime: catalog and clock outlive it.
class Ec2Door final : public Door {
 public:
  // Errors: of AccessKeyRing::OpenFile.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Ec2Door>> Create(Ec2Options options,
                                                                       const compute::Catalog& catalog,
                                                                       const TimeSource& clock);

  [[nodiscard]] bool IsFor(const HttpRequest& request) const override;
  void Serve(const HttpRequest& request, DoorCalls& calls, Done done) const override;

  // Reads the access keys anew; on an error the old ones hold.
  [[nodiscard]] absl::Status Reload() override { return keys_ == nullptr ? absl::OkStatus() : keys_->Reload(); }

 private:
  struct Read;

  Ec2Door(Ec2Options options, const compute::Catalog& catalog, const TimeSource& clock,
          std::unique_ptr<AccessKeyRing> keys)
      : options_(std::move(options)), catalog_(catalog), clock_(clock), keys_(std::move(keys)) {}

  [[nodiscard]] absl::Status Identify(Read& read) const;
  [[nodiscard]] absl::Status ReadRequest(Read& read) const;

  const Ec2Options options_;
  const compute::Catalog& catalog_;
  const TimeSource& clock_;
  const std::unique_ptr<AccessKeyRing> keys_;  // Null for none.
};

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_EC2_DOOR_H_
