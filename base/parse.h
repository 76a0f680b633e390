#ifndef HAPAX_BASE_PARSE_H_
#define HAPAX_BASE_PARSE_H_

#include <optional>
#include <string_view>

namespace hapax {

// Parses the bytes as a message. Returns nullopt when there are none, or they do not parse.
template <typename Message>
[[nodiscard]] std::optional<Message> Parse(std::optional<std::string_view> bytes) {
  Message message;
  if (!bytes.has_value() || !message.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) {
    return std::nullopt;
  }
  return message;
}

}  // namespace hapax

#endif  // HAPAX_BASE_PARSE_H_
