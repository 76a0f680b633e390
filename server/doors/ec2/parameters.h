#ifndef HAPAX_SERVER_DOORS_EC2_PARAMETERS_H_
#define HAPAX_SERVER_DOORS_EC2_PARAMETERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hapax/server/http/form.h"

namespace hapax::ec2 {

// The parameters of a request of EC2's Query API: names of parts joined by dots, where a number counts the items of a
// list from 1. An action takes those that it honours. Finish then refuses all others, so that none is ignored.
//
//   HAPAX_ASSIGN_OR_RETURN(const auto ids, parameters.TakeList("InstanceId", 1000));
//   const std::string key = parameters.Take("KeyName").value_or("");
//   HAPAX_RETURN_IF_ERROR(parameters.Finish());
//
// Errors: as of RefuseWith (ec2_error.h).
// Thread-safety: for one thread.
class Parameters {
 public:
  Parameters() = default;

  // Errors: a name occurs twice or is malformed; there are more than 20000 pairs; a text that XML 1.0 cannot hold.
  [[nodiscard]] static absl::StatusOr<Parameters> Of(FormPairs pairs);

  // Takes all whose name is such.
  void Drop(bool (*is_such)(std::string_view name));
  // The value of a name, once; nullopt if there is none.
  [[nodiscard]] std::optional<std::string> Take(std::string_view name);
  // Errors: MissingParameter, also for an empty value.
  [[nodiscard]] absl::StatusOr<std::string> TakeRequired(std::string_view name);
  // Errors: InvalidParameterValue, unless it is a number in this range.
  [[nodiscard]] absl::StatusOr<std::optional<int32_t>> TakeNumber(std::string_view name, int32_t min, int32_t max);
  // Errors: InvalidParameterValue, unless it is "true" or "false" in any case.
  [[nodiscard]] absl::StatusOr<bool> TakeFlag(std::string_view name, bool otherwise);
  // Takes a parameter that says what holds anyway.
  // Errors: UnsupportedOperation for another value.
  [[nodiscard]] absl::Status TakeFixed(std::string_view name, std::string_view only);

  // The values of "NAME.1", "NAME.2" and so on.
  // Errors: InvalidParameterValue for a gap, for an item with parts, or for more than `max`.
  [[nodiscard]] absl::StatusOr<std::vector<std::string>> TakeList(std::string_view name, size_t max);
  // The parameters below "NAME.1", "NAME.2" and so on, each to be finished.
  // Errors: InvalidParameterValue for a gap, for an item without parts, or for more than `max`.
  [[nodiscard]] absl::StatusOr<std::vector<Parameters>> TakeStructures(std::string_view name, size_t max);

  // Errors: for the first parameter that was not taken: UnsupportedOperation if EC2 has it, else UnknownParameter.
  [[nodiscard]] absl::Status Finish() const;

 private:
  // Where the items of a list stand: "NAME.", and behind it the items by number.
  [[nodiscard]] absl::StatusOr<std::map<size_t, Parameters>> TakeItems(std::string_view name, size_t max);
  [[nodiscard]] std::string FullName(std::string_view name) const;

  std::string prefix_;  // What all names here begin with, for messages: such as "Filter.1.".
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace hapax::ec2

#endif  // HAPAX_SERVER_DOORS_EC2_PARAMETERS_H_
