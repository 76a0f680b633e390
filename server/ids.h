#ifndef HAPAX_SERVER_IDS_H_
#define HAPAX_SERVER_IDS_H_

#include <string>
#include <string_view>

namespace hapax {

// Makes resource ids in EC2's style: a prefix, a hyphen and 17 hexadecimal digits.
// Thread-safety: safe.
class IdSource {
 public:
  virtual ~IdSource() = default;
  // Never the same id twice.
  [[nodiscard]] virtual std::string NewId(std::string_view prefix) = 0;
};

// 68 random bits from the operating system's generator: unique for all practical purposes, and not to be
// guessed.
class RandomIdSource final : public IdSource {
 public:
  [[nodiscard]] std::string NewId(std::string_view prefix) override;
};

}  // namespace hapax

#endif  // HAPAX_SERVER_IDS_H_
