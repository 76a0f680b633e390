#ifndef HAPAX_SERVER_DOORS_YANDEX_STEPS_H_
#define HAPAX_SERVER_DOORS_YANDEX_STEPS_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/proto/sorted_bytes.h"
#include "hapax/server/hosting/translated_method.h"

namespace hapax::yandex {

inline constexpr std::string_view kDescribe = "hapax.compute.v1.Compute/DescribeInstances";

// Steps of a translation (translated_method.h) with messages in place of bytes.

[[nodiscard]] inline TranslationStep End(const google::protobuf::Message& reply) {
  return TranslationStep::End(SortedBytes(reply));
}
// With the field names of Yandex Cloud.
[[nodiscard]] TranslationStep Fail(const absl::Status& error);

template <typename Reply>
using Next = absl::AnyInvocable<TranslationStep(absl::StatusOr<Reply> reply) &&>;

template <typename Reply>
[[nodiscard]] TranslationStep::Then Parsed(Next<Reply> next) {
  return [next = std::move(next)](absl::StatusOr<std::string> bytes) mutable {
    if (!bytes.ok()) return std::move(next)(bytes.status());
    Reply reply;
    if (!reply.ParseFromString(*bytes)) return Fail(Refuse(Reason::kInternal, "a reply could not be parsed"));
    return std::move(next)(std::move(reply));
  };
}

template <typename Reply>
[[nodiscard]] TranslationStep Call(std::string_view method, const google::protobuf::Message& request,
                                   Next<Reply> next) {
  return TranslationStep::Call(method, request.SerializeAsString(), Parsed(std::move(next)));
}

// Looks an instance up, in all regions. Errors: also INSTANCE_NOT_FOUND.
[[nodiscard]] TranslationStep FindInstance(const std::string& id, Next<compute::v1::Instance> next);

// Makes a mutating call about an instance: in the default region, or if no such instance is there, in that where it is.
// `request` makes the message for a region, which is empty for the default one.
template <typename Request, typename Reply>
[[nodiscard]] TranslationStep CallInItsRegion(std::string_view method, const std::string& id,
                                              std::function<Request(const std::string& region)> request,
                                              Next<Reply> next) {
  const Request in_default_region = request("");
  return Call<Reply>(method, in_default_region,
                     [=, request = std::move(request), next = std::move(next)](absl::StatusOr<Reply> reply) mutable {
                       if (ReasonOf(reply.status()) != Reason::kInstanceNotFound)
                         return std::move(next)(std::move(reply));
                       return FindInstance(id, [=, request = std::move(request), next = std::move(next)](
                                                   absl::StatusOr<compute::v1::Instance> instance) mutable {
                         if (!instance.ok()) return Fail(instance.status());
                         return Call<Reply>(method, request(instance->region()), std::move(next));
                       });
                     });
}

}  // namespace hapax::yandex

#endif  // HAPAX_SERVER_DOORS_YANDEX_STEPS_H_
