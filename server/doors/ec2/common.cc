#include "hapax/server/doors/ec2/common.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hapax/server/doors/ec2/ec2_error.h"

namespace hapax::ec2 {
namespace {

using compute::v1::InstanceState;

constexpr size_t kMaxTags = 50;
constexpr size_t kMaxFilters = 50;
constexpr size_t kMaxFilterValues = 200;

struct State {
  int code;
  std::string_view name;
};

State StateOf(InstanceState state) {
  switch (state) {
    case compute::v1::INSTANCE_STATE_RUNNING:
      return {16, "running"};
    case compute::v1::INSTANCE_STATE_SHUTTING_DOWN:
      return {32, "shutting-down"};
    case compute::v1::INSTANCE_STATE_TERMINATED:
      return {48, "terminated"};
    case compute::v1::INSTANCE_STATE_STOPPING:
      return {64, "stopping"};
    case compute::v1::INSTANCE_STATE_STOPPED:
      return {80, "stopped"};
    default:
      return {0, "pending"};
  }
}

}  // namespace

absl::Status TakeTags(Parameters& parameters, std::string_view resource_type, Tags* tags) {
  HAPAX_ASSIGN_OR_RETURN(auto specifications, parameters.TakeStructures("TagSpecification", kMaxTags));
  for (Parameters& specification : specifications) {
    HAPAX_ASSIGN_OR_RETURN(const std::string type, specification.TakeRequired("ResourceType"));
    if (type != resource_type) {
      return RefuseWith("UnsupportedOperation", absl::StrCat("TagSpecification: only resources of type ",
                                                             std::string(resource_type), " can be tagged here"));
    }
    HAPAX_ASSIGN_OR_RETURN(auto listed, specification.TakeStructures("Tag", kMaxTags));
    for (Parameters& tag : listed) {
      HAPAX_ASSIGN_OR_RETURN(const std::string key, tag.TakeRequired("Key"));
      if (!tags->insert({key, tag.Take("Value").value_or("")}).second) {
        return RefuseWith("InvalidParameterValue", "TagSpecification: a tag's key occurs more than once");
      }
      HAPAX_RETURN_IF_ERROR(tag.Finish());
    }
    HAPAX_RETURN_IF_ERROR(specification.Finish());
  }
  return absl::OkStatus();
}

void RenderTags(XmlWriter& xml, const Tags& tags) {
  xml.Open("tagSet");
  // A map of protobuf has no order of its own.
  for (const auto& [key, value] : std::map<std::string, std::string>(tags.begin(), tags.end())) {
    xml.Open("item");
    xml.Element("key", key);
    xml.Element("value", value);
    xml.Close();
  }
  xml.Close();
}

absl::Status TakeFilters(Parameters& parameters, FilterFields* filters) {
  HAPAX_ASSIGN_OR_RETURN(auto listed, parameters.TakeStructures("Filter", kMaxFilters));
  for (Parameters& item : listed) {
    compute::v1::Filter& filter = *filters->Add();
    HAPAX_ASSIGN_OR_RETURN(std::string name, item.TakeRequired("Name"));
    filter.set_name(std::move(name));
    HAPAX_ASSIGN_OR_RETURN(const auto values, item.TakeList("Value", kMaxFilterValues));
    filter.mutable_values()->Assign(values.begin(), values.end());
    HAPAX_RETURN_IF_ERROR(item.Finish());
  }
  return absl::OkStatus();
}

absl::Status TakeIds(Parameters& parameters, std::string_view name, Ids need,
                     google::protobuf::RepeatedPtrField<std::string>* ids) {
  HAPAX_ASSIGN_OR_RETURN(const auto list, parameters.TakeList(name, kMaxIds));
  if (list.empty() && need == Ids::kRequired) {
    return RefuseWith("MissingParameter",
                      absl::StrCat("The request must contain the parameter ", std::string(name), ".1"));
  }
  ids->Assign(list.begin(), list.end());
  return absl::OkStatus();
}

void RenderState(XmlWriter& xml, std::string_view name, InstanceState state) {
  const State shown = StateOf(state);
  xml.Open(name);
  xml.Element("code", shown.code);
  xml.Element("name", shown.name);
  xml.Close();
}

void RenderStateChange(XmlWriter& xml, std::string_view instance_id, InstanceState previous, InstanceState current) {
  xml.Open("item");
  xml.Element("instanceId", instance_id);
  RenderState(xml, "currentState", current);
  RenderState(xml, "previousState", previous);
  xml.Close();
}

}  // namespace hapax::ec2
