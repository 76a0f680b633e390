#ifndef HAPAX_STORAGE_POSTGRES_LAYOUT_H_
#define HAPAX_STORAGE_POSTGRES_LAYOUT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// The tables of an engine in PostgreSQL. All are in its schema, so one database may serve others, too.
//
//   engine     one row: kVersion, the release that set the engine up, how many connections were ever made, and how
//              groups are kept apart (isolation.h)
//   slots      (name)               owner, epoch and number of the last group, and the row's revision
//   granules   (tbl, key, writer)   a revision for each slot that wrote in the granule
//   rows       (tbl, key)           value and revision
//
// `tbl` is the number of the Table. The revision of a group is the timeline of the server in the upper bits, and the
// transaction's id below. So it is not given twice, also after a failover that lost some. A row's revision grows with
// each write in any case. That of a granule is the sum of its writers', so that servers do not wait for one another.
namespace hapax {

// The names of the prepared statements. Their parameters and columns are described in layout.cc.
inline constexpr char kBeginStatement[] = "begin";
inline constexpr char kBeginSerializableStatement[] = "begin_serializable";
inline constexpr char kBeginSerializableReadStatement[] = "begin_serializable_read";
inline constexpr char kLockStatement[] = "lock";
inline constexpr char kApplyStatement[] = "apply";
inline constexpr char kRaiseStatement[] = "raise";
inline constexpr char kCommitStatement[] = "commit";
inline constexpr char kFetchStatement[] = "fetch";
inline constexpr char kCompareStatement[] = "compare";
inline constexpr char kReadSlotStatement[] = "read_slot";

class PostgresLayout {
 public:
  // Of everything that servers of one engine must agree on: the tables, the locks (locks.h), and the granules that each
  // write of a row puts (storage/remote/granule.h). A change of any of them is another version.
  static constexpr int kVersion = 1;
  // PostgreSQL cuts longer names.
  static constexpr size_t kMaxSchemaBytes = 63;

  // Whether it is a lower-case letter, then lower-case letters, digits and "_", and not longer than kMaxSchemaBytes.
  [[nodiscard]] static bool IsSchema(std::string_view schema);

  // Requires: IsSchema(schema).
  explicit PostgresLayout(std::string schema);

  [[nodiscard]] const std::string& schema() const { return schema_; }

  struct Statement {
    std::string name;
    std::string sql;
  };
  // To be prepared on each connection.
  [[nodiscard]] std::vector<Statement> Statements() const;

  // `sql` with the schema in place of "$schema".
  [[nodiscard]] std::string Sql(std::string_view sql) const;

 private:
  const std::string schema_;
};

}  // namespace hapax

#endif  // HAPAX_STORAGE_POSTGRES_LAYOUT_H_
