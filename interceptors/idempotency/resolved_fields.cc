#include "hapax/interceptors/idempotency/resolved_fields.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hapax/interceptors/idempotency/canonical.h"

namespace hapax {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using store::v1::FieldDigest;
using store::v1::Fingerprint;
using store::v1::ResolvedField;

// The maximum number of parts of a field whose combinations are all digested (see the header).
constexpr size_t kMaxCombined = 3;

// The path to a field from the request.
using Path = std::vector<const FieldDescriptor*>;

bool IsSet(const Message& message, const FieldDescriptor& field) {
  return field.is_repeated() ? message.GetReflection()->FieldSize(message, &field) > 0
                             : message.GetReflection()->HasField(message, &field);
}

bool IsSame(const Message& one, const Message& other, const FieldDescriptor& field) {
  std::string forms[2];
  AppendCanonicalField(one, field, &forms[0]);
  AppendCanonicalField(other, field, &forms[1]);
  return forms[0] == forms[1];
}

// Whether another field of the same oneof is set.
bool IsDisplaced(const Message& message, const FieldDescriptor& field) {
  const auto* const oneof = field.containing_oneof();
  return oneof != nullptr && message.GetReflection()->HasOneof(message, oneof) && !IsSet(message, field);
}

// Whether its fields have meanings of their own. A value such as a Timestamp is one whole.
bool HasParts(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_repeated() &&
         field.message_type()->well_known_type() == Descriptor::WELLKNOWNTYPE_UNSPECIFIED;
}

// Finds the paths to fields that `request` has unset, or as in `defaults`. `at` is the path to these two messages.
void FindOptional(const Message& request, const Message& defaults, Path& at, std::vector<Path>* paths) {
  std::vector<const FieldDescriptor*> fields;
  defaults.GetReflection()->ListFields(defaults, &fields);
  for (const FieldDescriptor* field : fields) {
    if (IsDisplaced(request, *field)) continue;
    at.push_back(field);
    if (!IsSet(request, *field) || IsSame(request, defaults, *field)) {
      paths->push_back(at);
    } else if (HasParts(*field)) {
      FindOptional(request.GetReflection()->GetMessage(request, field),
                   defaults.GetReflection()->GetMessage(defaults, field), at, paths);
    }
    at.pop_back();
  }
}

// Clears the field at `path` in `message`, and any message on the path that is empty then.
void Clear(const Path& path, size_t step, Message* message) {
  const FieldDescriptor* const field = path[step];
  if (step + 1 < path.size()) {
    Message* const part = message->GetReflection()->MutableMessage(message, field);
    Clear(path, step + 1, part);
    if (part->ByteSizeLong() > 0) return;
  }
  message->GetReflection()->ClearField(message, field);
}

// Sets the field at `path` as it is in `defaults`.
void Fill(const Path& path, const Message& defaults, Message* message) {
  const std::unique_ptr<Message> copy(defaults.New());
  copy->CopyFrom(defaults);
  Message* from = copy.get();
  for (size_t step = 0; step + 1 < path.size(); ++step) {
    from = from->GetReflection()->MutableMessage(from, path[step]);
    message = message->GetReflection()->MutableMessage(message, path[step]);
  }
  message->GetReflection()->SwapFields(message, from, {path.back()});
}

bool IsSet(const Path& path, const Message& message) {
  const Message* at = &message;
  for (size_t step = 0; step + 1 < path.size(); ++step) at = &at->GetReflection()->GetMessage(*at, path[step]);
  return IsSet(*at, *path.back());
}

// The combinations of paths to state the other way.
std::vector<std::vector<const Path*>> Combinations(const std::vector<Path>& paths, const Message& request) {
  std::vector<std::vector<const Path*>> combinations;
  if (paths.size() <= kMaxCombined) {
    for (const Path& path : paths) {
      for (size_t i = combinations.size(); i > 0; --i) {
        combinations.push_back(combinations[i - 1]);
        combinations.back().push_back(&path);
      }
      combinations.push_back({&path});
    }
    return combinations;
  }
  std::vector<const Path*> spelled_out;
  std::vector<const Path*> left_out;
  for (const Path& path : paths) {
    combinations.push_back({&path});
    (IsSet(path, request) ? left_out : spelled_out).push_back(&path);
  }
  combinations.push_back(std::move(spelled_out));
  combinations.push_back(std::move(left_out));
  return combinations;
}

// A copy of the request, or only of the part that affects `field`.
std::unique_ptr<Message> CopyFor(const FieldDescriptor& field, const Method& method, const Message& request) {
  std::unique_ptr<Message> copy(request.New());
  if (method.canonicalize != nullptr) {
    copy->CopyFrom(request);
  } else {
    copy->GetReflection()
        ->MutableMessage(copy.get(), &field)
        ->CopyFrom(request.GetReflection()->GetMessage(request, &field));
  }
  return copy;
}

// Adds the other ways to state `field`, a message that the request has set.
void ResolveParts(const Method& method, const Message& request, const Message& defaults, const FieldDescriptor& field,
                  const FingerprintVersion& version, ResolvedField* resolved) {
  const std::unique_ptr<Message> canonical = CanonicalRequest(method, request);
  const Message& said = canonical == nullptr ? request : *canonical;
  Path at = {&field};
  std::vector<Path> paths;
  FindOptional(said.GetReflection()->GetMessage(said, &field), defaults.GetReflection()->GetMessage(defaults, &field),
               at, &paths);
  for (const std::vector<const Path*>& combination : Combinations(paths, said)) {
    const std::unique_ptr<Message> other = CopyFor(field, method, said);
    for (const Path* path : combination) {
      IsSet(*path, said) ? Clear(*path, 0, other.get()) : Fill(*path, defaults, other.get());
    }
    if (method.canonicalize != nullptr) method.canonicalize(other.get());
    if (IsSet(*other, field)) {
      resolved->add_digests(version.digest_field(*other, field));
    } else {
      resolved->set_unset(true);
    }
  }
}

}  // namespace

void AddResolvedFields(const Method& method, const Message& request, const Message& defaults, Fingerprint* fingerprint,
                       absl::Span<const FingerprintVersion> versions) {
  std::vector<const FieldDescriptor*> fields;
  defaults.GetReflection()->ListFields(defaults, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->number() == method.rule->token_field().TopLevelNumber()) continue;
    if (field->number() == method.rule->region_field().TopLevelNumber()) continue;
    ResolvedField resolved;
    resolved.set_number(field->number());
    const uint64_t digest = versions.back().digest_field(defaults, *field);
    const auto said = std::find_if(fingerprint->fields().begin(), fingerprint->fields().end(),
                                   [&](const FieldDigest& digested) { return digested.number() == field->number(); });
    if (said == fingerprint->fields().end()) {
      if (!IsDisplaced(request, *field)) resolved.add_digests(digest);
    } else if (said->digest() == digest) {
      resolved.set_unset(true);
    } else if (HasParts(*field) && !said->unknown()) {
      ResolveParts(method, request, defaults, *field, versions.back(), &resolved);
    }
    if (resolved.unset() || !resolved.digests().empty()) *fingerprint->add_resolved() = std::move(resolved);
  }
}

}  // namespace hapax
