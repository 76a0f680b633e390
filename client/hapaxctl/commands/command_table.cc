#include "hapax/client/hapaxctl/commands/command.h"

namespace hapax::ctl {
namespace {

// The examples run unchanged, except for ids and tokens.
#define TOKEN "550e8400-e29b-41d4-a716-446655440000"

const std::vector<Command> kEc2Commands = {
    {"run-instances", "Launches instances",
     "run-instances --placement \"AvailabilityZone=us-east-1a\" --image-id ami-b232d0db --count 1 "
     "--client-token " TOKEN,
     &BindRunInstances, true},
    {"terminate-instances", "Shuts instances down for good; repeating it is harmless",
     "terminate-instances --instance-ids i-36796e6dcb7a0270e", &BindTerminateInstances, true},
    {"start-instances", "Starts stopped instances, each as an operation",
     "start-instances --instance-ids i-36796e6dcb7a0270e --wait", &BindStartInstances, true},
    {"stop-instances", "Stops running instances, each as an operation; they can be started again",
     "stop-instances --instance-ids i-36796e6dcb7a0270e i-92e88a15fb29af268 --wait", &BindStopInstances, true},
    {"describe-instances", "Lists instances, the terminated ones included",
     "describe-instances --filters \"Name=instance-state-name,Values=pending,running\" --output table",
     &BindDescribeInstances},
    {"allocate-hosts", "Allocates dedicated hosts",
     "allocate-hosts --instance-type m5.large --availability-zone eu-west-1a --auto-placement on --quantity 1 "
     "--client-token " TOKEN,
     &BindAllocateHosts, true},
    {"release-hosts", "Gives dedicated hosts back", "release-hosts --host-ids h-36796e6dcb7a0270e", &BindReleaseHosts,
     true},
    {"describe-hosts", "Lists dedicated hosts", "describe-hosts --filters \"Name=availability-zone,Values=eu-west-1a\"",
     &BindDescribeHosts},
    {"create-key-pair", "Makes a key pair; the reply is the only place of its private key",
     "create-key-pair --key-name my-key-pair --key-type ed25519 --client-token " TOKEN, &BindCreateKeyPair, true},
    {"delete-key-pair", "Forgets a key pair", "delete-key-pair --key-name my-key-pair", &BindDeleteKeyPair, true},
    {"describe-key-pairs", "Lists key pairs, without their private keys", "describe-key-pairs --key-names my-key-pair",
     &BindDescribeKeyPairs},
    {"describe-subnets", "Lists subnets", "describe-subnets --region us-east-1", &BindDescribeSubnets},
    {"describe-availability-zones", "Lists zones, with what is free in them",
     "describe-availability-zones --output table", &BindDescribeAvailabilityZones},
};

const std::vector<Command> kOwnCommands = {
    {"resume", "Finishes what an earlier process left open in --journal, and says what became of it",
     "--journal ~/.hapax-journal resume", &BindResume, false, false, false},
};

const std::vector<CommandGroup> kCommandGroups = {
    {"token",
     "What became of a client token",
     {
         {"get", "Says what became of a token, with the reply that a retry gets", "token get " TOKEN, &BindTokenGet},
         {"list", "Lists tokens that were used", "token list --output table", &BindTokenList},
         {"abandon", "Gives a token up: if nothing was executed with it, nothing will be", "token abandon " TOKEN,
          &BindTokenAbandon},
         {"policy", "Says for how long a retry is safe", "token policy", &BindTokenPolicy},
     }},
    {"operation",
     "Starting and stopping, under way or done",
     {
         {"get", "Shows an operation", "operation get operations/NAME", &BindOperationGet},
         {"list", "Lists operations, oldest first", "operation list --done false", &BindOperationList},
         {"wait", "Waits until an operation is done, also over restarts of the server",
          "operation wait operations/NAME --timeout 5m", &BindOperationWait},
     }},
    {"admin",
     "For those who run the server",
     {
         {"status", "Tells how the server and its work stand: what runs, what is tried again, what is parked",
          "admin status", &BindAdminStatus, false, false, true, true},
         {"retry-work", "Has parked work performed again, once the cause of its failures is mended",
          "admin retry-work --kind compute.boot", &BindAdminRetryWork},
         {"backup", "Makes a backup in the server's --backup_dir, while it goes on", "admin backup --timeout 1h",
          &BindAdminBackup, false, true},
         {"list-backups", "Lists the backups in the server's --backup_dir", "admin list-backups --output table",
          &BindAdminListBackups},
         {"restore", "Makes a data directory of a backup, on the server's machine; needs no server",
          "admin restore --backup-dir /var/backups/hapax --data-dir /var/lib/hapax/restored", &BindAdminRestore},
         {"copy", "Moves all rows to another store, of any engine, while no server runs; run again, it goes on",
          "admin copy --from rocksdb:/var/lib/hapax --to etcd:10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379/hapax",
          &BindAdminCopy},
         {"inspect",
          "Lists the rows of a data directory, finds damaged ones, and drops one on request; needs no server",
          "admin inspect --data-dir /var/lib/hapax --table tokens", &BindAdminInspect},
         {"new-api-key", "Makes an API key, and its line for the server's --api_keys_file; it calls no server",
          "admin new-api-key team-a --role write", &BindNewApiKey},
         {"new-access-key",
          "Makes an access key for EC2's API, and its lines for the server's --access_keys_file; it calls no server",
          "admin new-access-key team-a --access-keys-file /etc/hapax/access_keys", &BindNewAccessKey},
     }},
    {"completion",
     "Completion for a shell",
     {
         {"bash", "Prints the script for bash", "completion bash > /etc/bash_completion.d/hapaxctl",
          &BindCompletionBash, false, false, false},
     }},
};

#undef TOKEN

}  // namespace

const std::vector<Command>& Ec2Commands() { return kEc2Commands; }
const std::vector<Command>& OwnCommands() { return kOwnCommands; }
const std::vector<CommandGroup>& CommandGroups() { return kCommandGroups; }

}  // namespace hapax::ctl
