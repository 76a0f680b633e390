#include "hapax/server/options/api_keys_file.h"

#include "hapax/base/guarded_file.h"
#include "hapax/base/option_error.h"
#include "hapax/interceptors/access/api_keys.h"

namespace hapax {

absl::StatusOr<std::unique_ptr<Authenticator>> OpenApiKeysFile(const std::string& path) {
  return ApiKeyAuthenticator::Create([path]() -> absl::StatusOr<ApiKeys> {
    const absl::StatusOr<std::string> text = ReadGuardedFile(path, OthersMay::kRead);
    if (!text.ok()) return OptionError("api_keys_file", path, text.status());
    absl::StatusOr<ApiKeys> keys = ApiKeys::Parse(*text);
    if (!keys.ok()) return OptionError("api_keys_file", path, keys.status());
    return keys;
  });
}

}  // namespace hapax
