#include "own.h"

#include "google/longrunning/operations.pb.h"
#include "google/rpc/error_details.pb.h"

std::string ReasonByOwnCode(const std::string& error_info) {
  google::rpc::ErrorInfo info;
  return info.ParseFromString(error_info) ? info.reason() : "";
}

std::string NameByOwnCode(const std::string& operation) {
  google::longrunning::Operation message;
  return message.ParseFromString(operation) ? message.name() : "";
}
