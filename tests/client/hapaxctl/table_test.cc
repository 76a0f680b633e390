#include "hapax/client/hapaxctl/output/table.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hapax/admin/v1/admin.pb.h"
#include "hapax/compute/v1/compute.pb.h"
#include "hapax/external/longrunning/operations.pb.h"
#include "hapax/idempotency/v1/tokens.pb.h"

namespace hapax::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ToTable, RowsUnderAlignedColumnsAndOtherFieldsAbove) {
  compute::v1::RunInstancesResponse reply;
  reply.set_reservation_id("r-1");
  reply.set_owner_id("team-a");
  compute::v1::Instance& one = *reply.add_instances();
  one.set_instance_id("i-1");
  one.set_state(compute::v1::INSTANCE_STATE_SHUTTING_DOWN);
  one.mutable_launch_time()->set_seconds(1'700'000'000);
  (*one.mutable_tags())["b"] = "2";
  (*one.mutable_tags())["a"] = "1";
  reply.add_instances()->set_instance_id("i-2");
  EXPECT_EQ(ToTable(reply),
            "RESERVATION_ID  r-1\n"
            "OWNER_ID        team-a\n"
            "\n"
            "INSTANCE_ID  STATE          LAUNCH_TIME           TAGS\n"
            "i-1          shutting-down  2023-11-14 22:13:20Z  a=1,b=2\n"
            "i-2          -              -                     -\n");
}

TEST(ToTable, AListOfTextsIsAColumn) {
  compute::v1::AllocateHostsResponse reply;
  reply.add_host_ids("h-1");
  reply.add_host_ids("h-2");
  EXPECT_EQ(ToTable(reply), "HOST_IDS\nh-1\nh-2\n");
}

TEST(ToTable, NothingListedIsNothing) { EXPECT_EQ(ToTable(compute::v1::DescribeInstancesResponse()), ""); }

TEST(ToTable, NumbersAreShownWhenTheyAreZero) {
  compute::v1::DescribeAvailabilityZonesResponse reply;
  reply.add_availability_zones()->set_zone_name("z");
  EXPECT_EQ(ToTable(reply), "ZONE_NAME  TOTAL_VCPUS  AVAILABLE_VCPUS\nz          0            0\n");
}

TEST(ToTable, NumbersWithoutASignAreShown) {
  admin::v1::ListBackupsResponse reply;
  reply.add_backups()->set_backup_id(7);
  reply.mutable_backups(0)->set_size_bytes(uint64_t{1} << 63);
  EXPECT_THAT(ToTable(reply), AllOf(HasSubstr("7"), HasSubstr("9223372036854775808"), Not(HasSubstr("?"))));
}

TEST(ToTable, SeveralListsHaveRowsEach) {
  admin::v1::GetStatusResponse reply;
  reply.set_version("0.1.0");
  reply.mutable_start_time()->set_seconds(1'700'000'000);
  admin::v1::WorkKind& kind = *reply.add_work_kinds();
  kind.set_kind("compute.boot");
  kind.set_open_count(3);
  kind.set_parked_count(1);
  kind.set_running_count(2);
  kind.mutable_oldest_age()->set_seconds(90);
  reply.add_work_kinds()->set_kind("compute.stop");
  const std::string above =
      "VERSION            0.1.0\n"
      "START_TIME         2023-11-14 22:13:20Z\n"
      "DAMAGED_WORK_ROWS  0\n"
      "\n"
      "WORK_KINDS\n"
      "KIND          OPEN_COUNT  RUNNING_COUNT  WAITING_COUNT  PARKED_COUNT  FAILURE_COUNT  OLDEST_AGE\n"
      "compute.boot  3           2              0              1             0              1m30s\n"
      "compute.stop  0           0              0              0             0              -\n";
  EXPECT_EQ(ToTable(reply), above);
  admin::v1::WorkPiece& piece = *reply.add_work_pieces();
  piece.set_kind("compute.boot");
  piece.set_subject("i-1");
  piece.set_state(admin::v1::WORK_STATE_PARKED);
  piece.set_attempts(10);
  piece.set_last_error("INTERNAL: no disk");
  EXPECT_EQ(ToTable(reply), above +
                                "\n"
                                "WORK_PIECES\n"
                                "KIND          SUBJECT  STATE   ATTEMPTS  LAST_ERROR\n"
                                "compute.boot  i-1      parked  10        INTERNAL: no disk\n");
}

TEST(ToTable, OpensAnAny) {
  external::longrunning::Operation operation;
  operation.set_name("operations/1");
  compute::v1::InstanceOperationMetadata metadata;
  metadata.set_instance_id("i-1");
  metadata.set_method("StopInstance");
  operation.mutable_metadata()->PackFrom(metadata);
  EXPECT_EQ(ToTable(operation),
            "NAME         operations/1\n"
            "INSTANCE_ID  i-1\n"
            "METHOD       StopInstance\n"
            "DONE         false\n");
}

TEST(ToTable, DurationsReadAsTheyAreWritten) {
  idempotency::v1::GetPolicyResponse policy;
  policy.mutable_retention()->set_seconds(86'400);
  EXPECT_EQ(ToTable(policy),
            "MAX_TOKEN_LENGTH                 0\n"
            "RETENTION                        24h\n"
            "MAX_TOKENS_PER_TENANT            0\n"
            "MAX_TOKEN_BYTES_PER_TENANT       0\n"
            "MAX_ABANDONED_TOKENS_PER_TENANT  0\n"
            "ABANDONED_TOKENS                 0\n");
}

TEST(ToTable, ANumberThatIsUnsetIsLeftOutAndAZeroIsNot) {
  idempotency::v1::GetPolicyResponse policy;
  EXPECT_THAT(ToTable(policy), testing::Not(testing::HasSubstr("STORED_TOKENS")));
  policy.set_stored_tokens(0);
  EXPECT_THAT(ToTable(policy), testing::HasSubstr("STORED_TOKENS                    0\n"));
}

TEST(ToTable, EscapesWhatMovesTheCursorButKeepsTheLinesOfAKey) {
  compute::v1::CreateKeypairResponse reply;
  reply.set_key_name("a\x1b[2J");
  reply.set_key_material("-----BEGIN\nabc\n-----END\n");
  EXPECT_EQ(ToTable(reply), "KEY_NAME      a\\x1b[2J\nKEY_MATERIAL\n-----BEGIN\nabc\n-----END\n");
}

TEST(ToTable, AlignsByCharactersNotBytes) {
  compute::v1::DescribeKeypairsResponse reply;
  (*reply.add_key_pairs()->mutable_tags())["k"] = "\xC3\xA9";
  reply.mutable_key_pairs(0)->set_key_pair_id("key-1");
  EXPECT_EQ(ToTable(reply), "KEY_PAIR_ID  TAGS\nkey-1        k=\xC3\xA9\n");
}

}  // namespace
}  // namespace hapax::ctl
