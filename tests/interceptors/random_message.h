#ifndef HAPAX_TESTS_INTERCEPTORS_RANDOM_MESSAGE_H_
#define HAPAX_TESTS_INTERCEPTORS_RANDOM_MESSAGE_H_

#include <random>

#include "google/protobuf/message.h"

namespace hapax {

using Random = std::mt19937_64;

// True once in `times`.
[[nodiscard]] bool OnceIn(int times, Random& random);

// Sets fields of an empty message to values drawn at random, limits and defaults often among them, but no
// NaN; messages at most `depth` deep.
void FillAtRandom(int depth, Random& random, google::protobuf::Message* message);

// Adds fields to the message, and to messages in it, that their definitions do not know.
void AddUnknownFields(Random& random, google::protobuf::Message* message);

// Makes the message, or one in it, mean something else, in one place.
void ChangeSomething(Random& random, google::protobuf::Message* message);

}  // namespace hapax

#endif  // HAPAX_TESTS_INTERCEPTORS_RANDOM_MESSAGE_H_
