#include "hapax/client/hapaxctl/output/query.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "hapax/client/hapaxctl/output/query_node.h"

namespace hapax::ctl {
namespace {

using Node = QueryNode;
using Array = JsonValue::Array;

bool IsTrue(const JsonValue& value) {
  if (const bool* boolean = value.boolean()) return *boolean;
  if (const std::string* text = value.text()) return !text->empty();
  if (const Array* array = value.array()) return !array->empty();
  if (const auto* object = value.object()) return !object->empty();
  return !value.IsNull();
}

// Returns null if the values have no order.
JsonValue Compare(const std::string& comparator, const JsonValue& left, const JsonValue& right) {
  if (comparator == "==") return JsonValue(left == right);
  if (comparator == "!=") return JsonValue(!(left == right));
  int order = 0;
  if (left.number() != nullptr && right.number() != nullptr) {
    const double one = left.number()->value;
    const double other = right.number()->value;
    order = one < other ? -1 : (one > other ? 1 : 0);
  } else if (left.text() != nullptr && right.text() != nullptr) {
    order = left.text()->compare(*right.text());
  } else {
    return {};
  }
  if (comparator == "<") return JsonValue(order < 0);
  if (comparator == "<=") return JsonValue(order <= 0);
  if (comparator == ">") return JsonValue(order > 0);
  return JsonValue(order >= 0);
}

JsonValue ElementAt(const JsonValue& value, int64_t index) {
  if (value.array() == nullptr) return {};
  const auto size = static_cast<int64_t>(value.array()->size());
  if (index < 0) index += size;
  return index < 0 || index >= size ? JsonValue() : (*value.array())[static_cast<size_t>(index)];
}

// A bound of a slice, clamped to the list. A missing one is the list's end in the step's direction.
int64_t BoundOf(std::optional<int64_t> number, int64_t size, int64_t lowest, int64_t highest, int64_t otherwise) {
  if (!number.has_value()) return otherwise;
  return std::clamp(*number < 0 ? *number + size : *number, lowest, highest);
}

JsonValue Slice(const JsonValue& value, const Node& node) {
  if (value.array() == nullptr) return {};
  const auto size = static_cast<int64_t>(value.array()->size());
  // Longer steps than the list are all the same; clamping keeps the sum below from overflowing.
  const int64_t step = std::clamp(node.numbers[2].value_or(1), -size - 1, size + 1);
  const bool forward = step > 0;
  const int64_t lowest = forward ? 0 : -1;
  const int64_t highest = forward ? size : size - 1;
  const int64_t start = BoundOf(node.numbers[0], size, lowest, highest, forward ? lowest : highest);
  const int64_t stop = BoundOf(node.numbers[1], size, lowest, highest, forward ? highest : lowest);
  Array sliced;
  for (int64_t i = start; forward ? i < stop : i > stop; i += step) {
    sliced.push_back((*value.array())[static_cast<size_t>(i)]);
  }
  return JsonValue(std::move(sliced));
}

JsonValue Flattened(const JsonValue& value) {
  if (value.array() == nullptr) return {};
  Array flat;
  for (const JsonValue& element : *value.array()) {
    if (element.array() == nullptr) {
      flat.push_back(element);
    } else {
      flat.insert(flat.end(), element.array()->begin(), element.array()->end());
    }
  }
  return JsonValue(std::move(flat));
}

// Keeps the first error in `status_`; later results do not matter.
class Evaluator {
 public:
  JsonValue Of(const Node& node, const JsonValue& value) {
    using Type = Node::Type;
    if (!status_.ok()) return {};
    switch (node.type) {
      case Type::kCurrent:
        return value;
      case Type::kField: {
        const JsonValue* const member = value.Find(node.text);
        return member == nullptr ? JsonValue() : *member;
      }
      case Type::kLiteral:
        return node.literal;
      case Type::kIndex:
        return ElementAt(value, *node.numbers[0]);
      case Type::kSlice:
        return Slice(value, node);
      case Type::kThen:
        return Of(node.children[1], Of(node.children[0], value));
      case Type::kProjection:
      case Type::kValueProjection:
      case Type::kFilter:
        return Projected(node, Of(node.children[0], value));
      case Type::kFlatten:
        return Flattened(Of(node.children[0], value));
      case Type::kOr:
      case Type::kAnd: {
        JsonValue left = Of(node.children[0], value);
        return IsTrue(left) == (node.type == Type::kOr) ? left : Of(node.children[1], value);
      }
      case Type::kNot:
        return JsonValue(!IsTrue(Of(node.children[0], value)));
      case Type::kComparison:
        return Compare(node.text, Of(node.children[0], value), Of(node.children[1], value));
      case Type::kList:
      case Type::kObject:
        return Selected(node, value);
      case Type::kFunction:
        return Called(node, value);
      case Type::kExpression:
        return Wrong("& is for arguments of functions");
    }
    return {};
  }
  [[nodiscard]] const absl::Status& status() const { return status_; }

 private:
  JsonValue Wrong(std::string_view message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
    return {};
  }

  JsonValue Projected(const Node& node, const JsonValue& base) {
    Array elements;
    if (node.type == Node::Type::kValueProjection) {
      if (base.object() == nullptr) return {};
      for (const JsonMember& member : *base.object()) elements.push_back(member.value);
    } else {
      if (base.array() == nullptr) return {};
      elements = *base.array();
    }
    Array projected;
    for (const JsonValue& element : elements) {
      if (node.type == Node::Type::kFilter && !IsTrue(Of(node.children[2], element))) continue;
      JsonValue found = Of(node.children[1], element);
      if (!found.IsNull()) projected.push_back(std::move(found));
    }
    return JsonValue(std::move(projected));
  }

  JsonValue Selected(const Node& node, const JsonValue& value) {
    if (value.IsNull()) return {};
    Array list;
    for (const Node& child : node.children) list.push_back(Of(child, value));
    if (node.type == Node::Type::kList) return JsonValue(std::move(list));
    JsonValue::Object object;
    for (size_t i = 0; i < list.size(); ++i) object.push_back({node.names[i], std::move(list[i])});
    return JsonValue(std::move(object));
  }

  JsonValue Called(const Node& node, const JsonValue& value) {
    std::vector<QueryArgument> arguments;
    for (const Node& child : node.children) {
      const bool is_expression = child.type == Node::Type::kExpression;
      arguments.push_back(is_expression ? QueryArgument{.expression = &child.children[0]}
                                        : QueryArgument{.value = Of(child, value)});
    }
    if (!status_.ok()) return {};
    absl::StatusOr<JsonValue> result = CallQueryFunction(
        node.text, arguments, [this](const Node& expression, const JsonValue& of) -> absl::StatusOr<JsonValue> {
          JsonValue found = Of(expression, of);
          if (!status_.ok()) return status_;
          return found;
        });
    if (result.ok()) return *std::move(result);
    return Wrong(std::string(result.status().message()));
  }

  absl::Status status_;
};

}  // namespace

absl::StatusOr<Query> Query::Of(std::string_view expression) {
  absl::StatusOr<Node> root = ParseQuery(expression);
  if (!root.ok()) return root.status();
  return Query(std::make_shared<const Node>(*std::move(root)));
}

absl::StatusOr<JsonValue> Query::Search(const JsonValue& value) const {
  Evaluator evaluator;
  JsonValue found = evaluator.Of(*root_, value);
  if (!evaluator.status().ok()) return evaluator.status();
  return found;
}

}  // namespace hapax::ctl
