#include "hapax/server/doors/yandex/steps.h"

#include "hapax/server/doors/yandex/field_names.h"

namespace hapax::yandex {

TranslationStep Fail(const absl::Status& error) { return TranslationStep::End(WithTheirFieldNames(error)); }

TranslationStep FindInstance(const std::string& id, Next<compute::v1::Instance> next) {
  compute::v1::DescribeInstancesRequest request;
  request.add_instance_ids(id);
  return Call<compute::v1::DescribeInstancesResponse>(
      kDescribe, request,
      [next = std::move(next)](absl::StatusOr<compute::v1::DescribeInstancesResponse> response) mutable {
        if (!response.ok()) return std::move(next)(response.status());
        if (response->instances().empty()) {
          return std::move(next)(Refuse(Reason::kInstanceNotFound, "instance_id: there is no such instance"));
        }
        return std::move(next)(std::move(*response->mutable_instances(0)));
      });
}

}  // namespace hapax::yandex
