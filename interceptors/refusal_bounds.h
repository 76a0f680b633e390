#ifndef HAPAX_INTERCEPTORS_REFUSAL_BOUNDS_H_
#define HAPAX_INTERCEPTORS_REFUSAL_BOUNDS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "hapax/external/rpc/error_details.pb.h"
#include "hapax/external/rpc/status.pb.h"

namespace hapax {

// How large an error may be, so that it arrives whole (C32). Clients take 8 KiB of metadata by default, names and
// others' trailers among them; of a larger error they see RESOURCE_EXHAUSTED, and not its reason.

// `grpc-message`, percent-encoded, and `grpc-status-details-bin`, in base64, together.
inline constexpr size_t kMaxRefusalBytes = 4096;
// The message, percent-encoded. It is sent twice, the second time within the details.
inline constexpr size_t kMaxMessageBytes = 960;
// google.rpc.BadRequest, serialized. With a message of the length above it leaves 280 bytes for the other details.
inline constexpr size_t kMaxViolationsBytes = 960;
// Of one violation: its field, and its description.
inline constexpr size_t kMaxFieldBytes = 128;
inline constexpr size_t kMaxDescriptionBytes = 512;
// A list of names within a message or a description.
inline constexpr size_t kMaxNamesBytes = 384;

// The text, cut so that it takes at most so many bytes percent-encoded, `...` at its end then. Cut between characters;
// a byte that is no UTF-8 becomes `?`.
[[nodiscard]] std::string CutText(std::string_view text, size_t max_bytes);

// Adds a violation, cut. Of those for which there is no room, `left_out` counts the number.
void AddViolation(std::string_view field, std::string_view description, external::rpc::BadRequest& request,
                  size_t& left_out);
// Says as the last violation, one without a field, how many were left out; nothing of none.
void EndViolations(size_t left_out, external::rpc::BadRequest& request);

// `a, b, c`, or of more than there is room for `a, b and 7 more`.
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

// What the error takes of a client's metadata.
[[nodiscard]] size_t SentBytes(const external::rpc::Status& status);

// Cuts an error of whatever origin to kMaxRefusalBytes: its message, then details from the end on, google.rpc.ErrorInfo
// last, which first loses its metadata.
void FitRefusal(external::rpc::Status& status);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_REFUSAL_BOUNDS_H_
