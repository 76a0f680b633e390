#ifndef HAPAX_INTERCEPTORS_IDEMPOTENCY_CANONICAL_H_
#define HAPAX_INTERCEPTORS_IDEMPOTENCY_CANONICAL_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace hapax {

// How a google.protobuf.Any is compared.
enum class AnyForm {
  kBytes,    // Its value is bytes, as they came.
  kMeaning,  // Its value is a message, where it can be read as one; else bytes.
};

// Appends one set field of `message` in canonical form: the protobuf wire format with everything fixed that
// the format leaves open. Fields stand in the order of their numbers, map entries in the order of their
// encoded keys, packable lists packed, varints in their shortest form, implicit defaults left out;
// unknown fields keep their bytes and take their place by number.
//
// Equal meanings give equal bytes. The form is ours, and its stability does not rest on protobuf's
// serializer; it equals what serializers commonly send, so that a field reads the same before and after
// the server learns of it (C22).
//
// With AnyForm::kMeaning, the value of a google.protobuf.Any is in canonical form, too, and its type has the usual
// prefix `type.googleapis.com/`, whatever prefix came. So is one within another, eight deep. It stays as it came where
// the descriptor pool of `message` does not know the type, or its bytes do not parse.
void AppendCanonicalField(const google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field,
                          std::string* out, AnyForm any_form = AnyForm::kMeaning);

// Calls `visit` for each top-level field on the wire, in the order they came, with its number and its
// whole encoding, tag included. False when the bytes are not well-formed.
bool ForEachWireField(std::string_view bytes, absl::FunctionRef<void(int number, std::string_view field)> visit);

}  // namespace hapax

#endif  // HAPAX_INTERCEPTORS_IDEMPOTENCY_CANONICAL_H_
