#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_CANONICAL_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_CANONICAL_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace hapax {

// How the value of a google.protobuf.Any is compared.
enum class AnyForm {
  kBytes,    // As bytes, unchanged.
  kMeaning,  // As a message where it can be parsed, otherwise as bytes.
};

// Appends one set field of `message` in canonical form: the protobuf wire format without its freedoms. Fields are in
// order of their numbers, map entries in order of their encoded keys. Packable lists are packed, varints are as short
// as possible, and implicit defaults are left out. Unknown fields keep their bytes and are ordered by number, too.
//
// Equal meanings give equal bytes. The form is Hapax's own and does not depend on protobuf's serializer. It equals what
// serializers commonly send, so a field has the same form before and after the server learns of it (C22).
//
// With AnyForm::kMeaning, the value of a google.protobuf.Any is in canonical form, too. Its type gets the usual prefix
// `type.googleapis.com/`, whatever prefix arrived. This holds for Anys nested up to eight deep. An Any stays unchanged
// when the descriptor pool of `message` does not know its type, or its bytes do not parse.
void AppendCanonicalField(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                          std::string* out, AnyForm any_form = AnyForm::kMeaning);

// Calls `visit` for each top-level field on the wire, in order of arrival, with its number and its whole encoding,
// including the tag. Returns false when the bytes are malformed.
bool ForEachWireField(std::string_view bytes, absl::FunctionRef<void(int number, std::string_view field)> visit);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_CANONICAL_H_
