#include "hapax/bench/ledger.h"

#include <string>
#include <utility>

#include "bench/v1/ledger.pb.h"
#include "hapax/base/status_macros.h"
#include "hapax/interceptors/refusal.h"
#include "hapax/storage/key.h"
#include "hapax/storage/rows.h"
#include "hapax/storage/store.h"

namespace hapax::bench {

std::unique_ptr<HostedService> MakeLedger(IdSource& ids) {
  using ::bench::v1::PostRequest;
  using ::bench::v1::PostResponse;
  auto ledger = std::make_unique<HostedService>(*PostRequest::descriptor()->file()->FindServiceByName("Ledger"));
  ledger->Mutation<PostRequest, PostResponse>(
      "Post",
      [&ids](const CallContext& context, Transaction& txn, const PostRequest& request,
             PostResponse* response) -> absl::Status {
        if (request.posting().account().empty()) return RefuseParameter("posting.account", "is required");
        const auto key_of = [&](const std::string& id) {
          return KeyBuilder().String("posting").String(context.tenant).String(id).Build();
        };
        HAPAX_ASSIGN_OR_RETURN(std::string id, NewIdOf(ids, "p", txn, Table::kResources, key_of));
        PutRow(txn, Table::kResources, key_of(id), request.posting());
        response->set_posting_id(std::move(id));
        *response->mutable_posting() = request.posting();
        return absl::OkStatus();
      });
  return ledger;
}

}  // namespace hapax::bench
