#ifndef HAPAX_INTERCEPTORS_REFUSAL_BOUNDS_H_
#define HAPAX_INTERCEPTORS_REFUSAL_BOUNDS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/external/rpc/status.pb.h"

namespace hapax {

// Bounds on the size of an error, so that it arrives complete (C32). Clients accept 8 KiB of metadata by default,
// including names and other trailers. A client sees RESOURCE_EXHAUSTED in place of a larger error, without its reason.

// `grpc-message` (percent-encoded) and `grpc-status-details-bin` (base64) together.
inline constexpr size_t kMaxRefusalBytes = 4096;
// The message, percent-encoded. It is sent twice: alone, and within the details.
inline constexpr size_t kMaxMessageBytes = 960;
// google.rpc.BadRequest, serialized. With a message of maximum size it leaves 280 bytes for other details.
inline constexpr size_t kMaxViolationsBytes = 960;
// The field and the description of one violation.
inline constexpr size_t kMaxFieldBytes = 128;
inline constexpr size_t kMaxDescriptionBytes = 512;
// A list of names within a message or a description.
inline constexpr size_t kMaxNamesBytes = 384;

// The text, cut to `max_bytes` in percent-encoding. A cut text ends with `...`, and is cut between characters. A byte
// that is not UTF-8 becomes `?`.
[[nodiscard]] std::string CutText(std::string_view text, size_t max_bytes);

// Adds a violation, cut to its bounds. Increments `left_out` instead when there is no room.
void AddViolation(std::string_view field, std::string_view description, external::rpc::BadRequest& request,
                  size_t& left_out);
// Adds a last violation, without a field, that says how many were left out. Adds nothing for 0.
void EndViolations(size_t left_out, external::rpc::BadRequest& request);

// `a, b, c`, or `a, b and 7 more` when there is no room for all.
template <typename Names>
[[nodiscard]] std::string JoinNames(const Names& names) {
  std::string joined;
  size_t left = names.size();
  for (const std::string_view name : names) {
    if (!joined.empty() && joined.size() + name.size() > kMaxNamesBytes) break;
    if (!joined.empty()) joined += ", ";
    joined += CutText(name, kMaxFieldBytes);
    --left;
  }
  return left == 0 ? joined : joined + " and " + std::to_string(left) + " more";
}

// The bytes that the error takes of a client's metadata.
[[nodiscard]] size_t SentBytes(const external::rpc::Status& status);

// Cuts an error of any origin to kMaxRefusalBytes: first its message, then its details from the last one on.
// google.rpc.ErrorInfo goes last, and loses its metadata first.
void FitRefusal(external::rpc::Status& status);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REFUSAL_BOUNDS_H_
