#ifndef HAPAX_TESTS_INTERCEPTORS_SHUFFLED_WIRE_H_
#define HAPAX_TESTS_INTERCEPTORS_SHUFFLED_WIRE_H_

#include <string>

#include "google/protobuf/message.h"
#include "hapax/tests/interceptors/random_message.h"

namespace hapax {

// One of the many encodings that mean the message, drawn at random: fields, map entries, keys and values
// in any order; lists packed, unpacked, or partly; values that a later one replaces; messages in two
// parts; defaults that need not be there; varints longer than they need be.
[[nodiscard]] std::string ShuffledWire(const google::protobuf::Message& message, Random& random);

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_SHUFFLED_WIRE_H_
