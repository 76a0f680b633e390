#include "hapax/storage/postgres/sql_values.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hapax/base/status_macros.h"

namespace hapax {
namespace {

// Types of PostgreSQL's catalog, whose numbers never change.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kFloat4 = 700;
constexpr Oid kFloat8 = 701;

std::string TextOf(double number) {
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  return absl::StrFormat("%.17g", number);
}

// The number of the parameter is that of the statement's "$1".
absl::StatusOr<std::string> EncodedOf(const SqlValue& value, size_t number) {
  if (const auto* const flag = std::get_if<bool>(&value)) return *flag ? "t" : "f";
  if (const auto* const integer = std::get_if<int64_t>(&value)) return absl::StrCat(*integer);
  if (const auto* const real = std::get_if<double>(&value)) return TextOf(*real);
  if (const auto* const bytes = std::get_if<SqlBytes>(&value)) return bytes->bytes;
  if (const auto* const text = std::get_if<std::string>(&value)) {
    if (text->find('\0') == std::string::npos) return *text;
    return absl::InvalidArgumentError(absl::StrCat("$", number, " is text with a zero byte"));
  }
  return "";
}

SqlValue ValueOf(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return SqlNull{};
  const char* const data = PQgetvalue(result, row, column);
  const absl::string_view text(data, static_cast<size_t>(PQgetlength(result, row, column)));
  int64_t integer = 0;
  double number = 0;
  switch (PQftype(result, column)) {
    case kBool:
      return text == "t";
    case kInt2:
    case kInt4:
    case kInt8:
      if (absl::SimpleAtoi(text, &integer)) return integer;
      break;
    case kFloat4:
    case kFloat8:
      if (absl::SimpleAtod(text, &number)) return number;
      break;
    case kBytea: {
      size_t size = 0;
      const std::unique_ptr<unsigned char, decltype(&PQfreemem)> bytes(
          PQunescapeBytea(reinterpret_cast<const unsigned char*>(data), &size), PQfreemem);
      if (bytes != nullptr) return SqlBytes{std::string(bytes.get(), bytes.get() + size)};
      break;
    }
    default:
      break;
  }
  return std::string(text);
}

}  // namespace

SqlResult SqlResultOf(const PGresult* result) {
  const int width = PQnfields(result);
  std::vector<std::string> columns;
  columns.reserve(static_cast<size_t>(width));
  for (int column = 0; column < width; ++column) columns.emplace_back(PQfname(result, column));
  std::vector<std::vector<SqlValue>> rows(static_cast<size_t>(PQntuples(result)));
  for (size_t row = 0; row < rows.size(); ++row) {
    for (int column = 0; column < width; ++column) {
      rows[row].push_back(ValueOf(result, static_cast<int>(row), column));
    }
  }
  int64_t affected = 0;
  if (!absl::SimpleAtoi(PQcmdTuples(const_cast<PGresult*>(result)), &affected)) affected = 0;
  return {std::move(columns), std::move(rows), affected};
}

absl::StatusOr<PgTypedParameters> PgParametersOf(absl::Span<const SqlValue> values) {
  PgTypedParameters parameters;
  for (const SqlValue& value : values) {
    const bool is_bytes = std::holds_alternative<SqlBytes>(value);
    HAPAX_ASSIGN_OR_RETURN(std::string encoded, EncodedOf(value, parameters.values.size() + 1));
    parameters.values.push_back(std::move(encoded));
    parameters.is_null.push_back(std::holds_alternative<SqlNull>(value));
    parameters.types.push_back(is_bytes ? kBytea : 0);
    parameters.formats.push_back(is_bytes ? 1 : 0);
  }
  return parameters;
}

}  // namespace hapax
