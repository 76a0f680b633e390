#ifndef HAPAX_INTERCEPTORS_RULE_H_
#define HAPAX_INTERCEPTORS_RULE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "hapax/idempotency/v1/rule.pb.h"
#include "hapax/interceptors/scope.h"

namespace hapax {

// A service's resolvers, by the names that its rules use.
using ScopeResolvers = absl::flat_hash_map<std::string, ScopeResolver>;

// A string field of a request, at any depth, looked up once.
class StringFieldPath {
 public:
  // Errors: INVALID_ARGUMENT when `path` does not lead from `message` to a singular string field.
  [[nodiscard]] static absl::StatusOr<StringFieldPath> Compile(const google::protobuf::Descriptor& message,
                                                               std::string_view path);
  // The field's value in `message`; empty when the field, or a message on the path, is not set. Valid while `message`
  // is.
  [[nodiscard]] std::string_view Read(const google::protobuf::Message& message) const;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool IsTopLevel() const { return steps_.size() == 1; }
  // The field number of the path's first step.
  [[nodiscard]] int TopLevelNumber() const { return steps_.front()->number(); }
  // The field numbers of all steps, the first one first.
  [[nodiscard]] std::vector<int> Numbers() const;

 private:
  std::string name_;
  std::vector<const google::protobuf::FieldDescriptor*> steps_;
};

// A method's IdempotencyRule (proto/hapax/idempotency/v1/rule.proto), compiled at startup.
//
// Thread-safety: immutable.
// Lifetime: the method's descriptor and the resolvers outlive it.
class Rule {
 public:
  // The rule of a mutating method; nullopt for a method that needs none, without side effects or idempotent. Errors:
  // INVALID_ARGUMENT, naming the method and the fault in its declaration.
  [[nodiscard]] static absl::StatusOr<std::optional<Rule>> Compile(const google::protobuf::MethodDescriptor& method,
                                                                   const ScopeResolvers& resolvers);

  [[nodiscard]] const StringFieldPath& token_field() const { return token_field_; }
  [[nodiscard]] const StringFieldPath& region_field() const { return region_field_; }
  [[nodiscard]] const std::vector<StringFieldPath>& zone_fields() const { return zone_fields_; }
  // Whether a request that names no zone is refused.
  [[nodiscard]] bool zone_required() const { return zone_required_; }
  // Empty: the fields' values are taken literally.
  [[nodiscard]] const std::string& resolver_name() const { return resolver_name_; }
  // Whether a retry gets the current state of the operation that the first reply names. Otherwise it gets the first
  // reply itself.
  [[nodiscard]] bool replays_current_operation() const { return replays_current_operation_; }
  // Whether the reply is stored encrypted.
  [[nodiscard]] bool secret_reply() const { return secret_reply_; }
  // The limits on a request that are lower than the server's.
  [[nodiscard]] const idempotency::v1::RequestLimits& request_limits() const { return request_limits_; }
  // How long a reply is kept; nullopt leaves it to the server.
  [[nodiscard]] std::optional<absl::Duration> retention() const { return retention_; }

  // The place of a request. Errors: INVALID_PARAMETER when a required zone is missing; the resolver's errors.
  [[nodiscard]] absl::StatusOr<Place> ResolvePlace(const google::protobuf::Message& request,
                                                   std::string_view default_region) const;

 private:
  Rule() = default;

  [[nodiscard]] absl::Status CompileReply(const google::protobuf::MethodDescriptor& method,
                                          const idempotency::v1::IdempotencyRule& declared);

  StringFieldPath token_field_;
  StringFieldPath region_field_;
  std::vector<StringFieldPath> zone_fields_;
  std::string resolver_name_;
  const ScopeResolver* resolver_ = nullptr;  // Null: the values are taken literally.
  bool zone_required_ = false;
  bool replays_current_operation_ = false;
  bool secret_reply_ = false;
  std::optional<absl::Duration> retention_;
  idempotency::v1::RequestLimits request_limits_;
};

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_RULE_H_
