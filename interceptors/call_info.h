#ifndef HAPAX_INTERCEPTORS_CALL_INFO_H_
#define HAPAX_INTERCEPTORS_CALL_INFO_H_

#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"

namespace hapax {

// The names in the verified certificate of the peer. Empty if it presented none. Valid as long as the call.
struct PeerNames {
  absl::InlinedVector<std::string_view, 1> uris;  // Subject alternative names that are URIs, in their order.
  std::string_view common_name;                   // The first common name of the subject.
};

// The properties of a call besides its request. Thread-safety: safe.
class CallInfo {
 public:
  using MetadataValues = absl::InlinedVector<std::string_view, 2>;

  virtual ~CallInfo() = default;
  // Returns all values of a metadata key (lower case), in the order of arrival.
  [[nodiscard]] virtual MetadataValues Metadata(std::string_view key) const = 0;
  // Returns the peer's address, such as `ipv4:127.0.0.1:50123`; empty if there is none.
  [[nodiscard]] virtual std::string peer() const { return ""; }
  [[nodiscard]] virtual PeerNames peer_names() const { return {}; }
  // Returns InfiniteFuture if the client set no deadline.
  [[nodiscard]] virtual absl::Time deadline() const = 0;
  [[nodiscard]] virtual bool IsCancelled() const = 0;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_CALL_INFO_H_
