#include "hapax/client/hapaxctl/commands/calls.h"
#include "hapax/client/hapaxctl/commands/command.h"
#include "hapax/client/hapaxctl/flags/flags.h"
#include "hapax/compute/v1/compute.pb.h"

namespace hapax::ctl {

Action BindCreateKeyPair(CLI::App& verb) {
  using Request = compute::v1::CreateKeypairRequest;
  return Making<Request>(verb, [](CLI::App& app, Request& request) {
    AddText(app, "--key-name", *request.mutable_key_name(), "Its name, unique in the region")->required();
    const auto set_type = [&request](const std::string& text) {
      request.set_key_type(text == "rsa" ? compute::v1::KEY_TYPE_RSA : compute::v1::KEY_TYPE_ED25519);
    };
    AddChoice(app, "--key-type", {"ed25519", "rsa"}, set_type, "ed25519 if not given");
    AddTags(app, "key-pair", *request.mutable_tags());
    AddClientToken(app, *request.mutable_client_token());
  });
}

Action BindDeleteKeyPair(CLI::App& verb) {
  using Request = compute::v1::DeleteKeypairRequest;
  return Making<Request>(verb, [](CLI::App& app, Request& request) {
    AddText(app, "--key-name", *request.mutable_key_name(), "The pair to forget")->required();
    AddClientToken(app, *request.mutable_client_token());
  });
}

Action BindDescribeKeyPairs(CLI::App& verb) {
  using Request = compute::v1::DescribeKeypairsRequest;
  return Listing<Request>(verb, [](CLI::App& app, Request& request) {
    AddTexts(app, "--key-names", *request.mutable_key_names(), "Only these");
    AddFilters(app, *request.mutable_filters());
  });
}

}  // namespace hapax::ctl
