#include "hapax/server/reflection.h"

#include <set>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "hapax/server/parse.h"

namespace hapax {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

void AnswerError(grpc::StatusCode code, const std::string& message, ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(message);
}

// Adds the file, after all that it imports.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>& added, ServerReflectionResponse& response) {
  if (!added.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, response);
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(proto.SerializeAsString());
}

void AnswerFile(const FileDescriptor* file, const std::string& name, ServerReflectionResponse& response) {
  if (file == nullptr) return AnswerError(grpc::StatusCode::NOT_FOUND, "nothing is known of " + name, response);
  std::set<const FileDescriptor*> added;
  AddFile(*file, added, response);
}

void AnswerExtensionNumbers(const std::string& type, ServerReflectionResponse& response) {
  const Descriptor* message = Pool().FindMessageTypeByName(type);
  if (message == nullptr) return AnswerError(grpc::StatusCode::NOT_FOUND, "nothing is known of " + type, response);
  std::vector<const FieldDescriptor*> extensions;
  Pool().FindAllExtensions(message, &extensions);
  auto& numbers = *response.mutable_all_extension_numbers_response();
  numbers.set_base_type_name(type);
  for (const FieldDescriptor* extension : extensions) numbers.add_extension_number(extension->number());
}

class ReflectionHandler final : public GrpcStream::Handler {
 public:
  ReflectionHandler(const Reflection& reflection, GrpcStream& stream) : reflection_(reflection), stream_(stream) {}

  void OnArrived() override { stream_.Read(); }
  void OnRead(std::optional<std::string_view> message) override {
    if (!message.has_value()) return stream_.Finish(grpc::Status::OK);
    stream_.StayOpen();
    const auto request = Parse<ServerReflectionRequest>(message);
    if (request.has_value()) return stream_.Write(reflection_.Answer(*request).SerializeAsString());
    stream_.Finish({grpc::StatusCode::INVALID_ARGUMENT, "not a ServerReflectionRequest"});
  }
  void OnWritten(bool ok) override {
    if (ok) return stream_.Read();
    stream_.Finish(grpc::Status::CANCELLED);
  }

 private:
  const Reflection& reflection_;
  GrpcStream& stream_;
};

}  // namespace

std::unique_ptr<GrpcStream::Handler> Reflection::Handle(GrpcStream& stream) const {
  return std::make_unique<ReflectionHandler>(*this, stream);
}

ServerReflectionResponse Reflection::Answer(const ServerReflectionRequest& request) const {
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      AnswerFile(Pool().FindFileByName(request.file_by_filename()), request.file_by_filename(), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      AnswerFile(Pool().FindFileContainingSymbol(request.file_containing_symbol()), request.file_containing_symbol(),
                 response);
      break;
    case ServerReflectionRequest::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const Descriptor* message = Pool().FindMessageTypeByName(wanted.containing_type());
      const FieldDescriptor* extension =
          message == nullptr ? nullptr : Pool().FindExtensionByNumber(message, wanted.extension_number());
      AnswerFile(extension == nullptr ? nullptr : extension->file(), "that extension of " + wanted.containing_type(),
                 response);
      break;
    }
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      AnswerExtensionNumbers(request.all_extension_numbers_of_type(), response);
      break;
    case ServerReflectionRequest::kListServices:
      for (const std::string& service : services_)
        response.mutable_list_services_response()->add_service()->set_name(service);
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      AnswerError(grpc::StatusCode::INVALID_ARGUMENT, "message_request is required", response);
      break;
  }
  return response;
}

}  // namespace hapax
