#ifndef HAPAX_STORAGE_POSTGRES_ARRAY_H_
#define HAPAX_STORAGE_POSTGRES_ARRAY_H_

#include <cstdint>
#include <string>
#include <string_view>

// PostgreSQL's binary format of parameters and results.
namespace hapax {

// The element types of arrays, by their object ids in pg_type.
enum class PgType : uint32_t { kBool = 16, kBytea = 17, kBigint = 20, kSmallint = 21 };

[[nodiscard]] std::string PgBool(bool value);
[[nodiscard]] std::string PgSmallint(int value);
[[nodiscard]] std::string PgBigint(int64_t value);
// Requires: 8 bytes.
[[nodiscard]] int64_t PgBigintOf(std::string_view bytes);

// An array of one dimension, without nulls:
//
//   +------------+-------+------+-------+-------------+------------------+
//   | dimensions | nulls | type | count | lower bound | (size, bytes)... |
//   +------------+-------+------+-------+-------------+------------------+
//    each number 4 bytes BE; dimensions is 0 without elements, and nothing follows the type
class PgArray {
 public:
  explicit PgArray(PgType type) : type_(type) {}

  // `element` is encoded as its type requires.
  void Add(std::string_view element);
  [[nodiscard]] std::string Encode() const;

 private:
  const PgType type_;
  uint32_t count_ = 0;
  std::string elements_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_ARRAY_H_
