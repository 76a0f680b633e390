#ifndef HAPAX_SERVER_DOORS_EC2_EC2_ERROR_H_
#define HAPAX_SERVER_DOORS_EC2_EC2_ERROR_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "hapax/interceptors/reason.h"

namespace hapax::ec2 {

// An error as a client of EC2 gets it.
struct Ec2Error {
  int http_status = 400;
  std::string code;  // Such as "InvalidParameterValue".
  std::string message;
  RetryVerdict verdict = RetryVerdict::kNever;
};

// An error of the door's own, for ToEc2Error.
[[nodiscard]] absl::Status RefuseWith(std::string_view code, std::string_view message, int http_status = 400);

// Translates an error of RefuseWith, or of a hosted method. `action` is EC2's name, such as "RunInstances": some
// reasons have a code for each. `names_host`: the request named a dedicated host to run on.
//
// All that another attempt may mend has a status of 5xx, which EC2's clients try again; all else has one of 4xx.
[[nodiscard]] Ec2Error ToEc2Error(const absl::Status& status, std::string_view action, bool names_host = false);

// The body of the reply.
[[nodiscard]] std::string ErrorXml(const Ec2Error& error, std::string_view request_id);

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_EC2_ERROR_H_
