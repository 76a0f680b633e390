#include "hapax/server/grpc/reflection.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "hapax/base/check.h"
#include "hapax/proto/public_name.h"

namespace hapax {
namespace {

using external::reflection::FileDescriptorResponse;
using external::reflection::ServerReflectionRequest;
using external::reflection::ServerReflectionResponse;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::internal::WireFormatLite;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

void AnswerError(grpc::StatusCode code, const std::string& message, ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(message);
}

// Gives a type its public name; `.hapax.external.rpc.Status` is one.
void MakePublic(std::string& type) {
  if (type.front() == '.') type.replace(1, std::string::npos, PublicName(std::string_view(type).substr(1)));
}

void MakePublic(google::protobuf::DescriptorProto& message) {
  for (auto& field : *message.mutable_field()) {
    if (field.has_type_name()) MakePublic(*field.mutable_type_name());
  }
  for (auto& nested : *message.mutable_nested_type()) MakePublic(nested);
}

// Gives the file, and all that it names, their public names.
void MakePublic(FileDescriptorProto& file) {
  file.set_name(PublicPath(file.name()));
  const std::string package = PublicName(file.package() + ".");
  if (file.has_package()) file.set_package(package.substr(0, package.size() - 1));
  for (std::string& dependency : *file.mutable_dependency()) dependency = PublicPath(dependency);
  for (auto& message : *file.mutable_message_type()) MakePublic(message);
  for (auto& service : *file.mutable_service()) {
    for (auto& method : *service.mutable_method()) {
      MakePublic(*method.mutable_input_type());
      MakePublic(*method.mutable_output_type());
    }
  }
}

// Adds the file, after all its imports. `added` holds public paths.
void AddFile(const FileDescriptor& file, std::set<std::string>& added, FileDescriptorResponse& response) {
  if (!added.insert(PublicPath(file.name())).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, response);
  FileDescriptorProto proto;
  file.CopyTo(&proto);
  MakePublic(proto);
  response.add_file_descriptor_proto(proto.SerializeAsString());
}

// A file of the application goes before Hapax's own of the same public name.
const FileDescriptor* FindFile(const std::string& path) {
  const FileDescriptor* file = Pool().FindFileByName(path);
  return file != nullptr ? file : Pool().FindFileByName(OwnPath(path));
}

const FileDescriptor* FindFileOf(const std::string& symbol) {
  const FileDescriptor* file = Pool().FindFileContainingSymbol(symbol);
  return file != nullptr ? file : Pool().FindFileContainingSymbol(OwnName(symbol));
}

// The file that a question names; null if it names none, or one that does not exist.
const FileDescriptor* FileOf(const ServerReflectionRequest& request) {
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      return FindFile(request.file_by_filename());
    case ServerReflectionRequest::kFileContainingSymbol:
      return FindFileOf(request.file_containing_symbol());
    case ServerReflectionRequest::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const Descriptor* message = FindMessageType(Pool(), wanted.containing_type());
      const FieldDescriptor* extension =
          message == nullptr ? nullptr : Pool().FindExtensionByNumber(message, wanted.extension_number());
      return extension == nullptr ? nullptr : extension->file();
    }
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
    case ServerReflectionRequest::kListServices:
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      return nullptr;
  }
  return nullptr;
}

void AnswerUnknown(const std::string& name, ServerReflectionResponse& response) {
  AnswerError(grpc::StatusCode::NOT_FOUND, "nothing is known of " + name, response);
}

void AnswerExtensionNumbers(const std::string& type, ServerReflectionResponse& response) {
  const Descriptor* message = FindMessageType(Pool(), type);
  if (message == nullptr) return AnswerUnknown(type, response);
  std::vector<const FieldDescriptor*> extensions;
  Pool().FindAllExtensions(message, &extensions);
  auto& numbers = *response.mutable_all_extension_numbers_response();
  numbers.set_base_type_name(type);
  for (const FieldDescriptor* extension : extensions) numbers.add_extension_number(extension->number());
}

// The party of all callers. No tenant has this name, and more connections get no more turns.
constexpr std::string_view kStrangers = "(strangers)";

class ReflectionHandler final : public GrpcStream::Handler {
 public:
  ReflectionHandler(const Reflection& reflection, GrpcStream& stream) : reflection_(reflection), stream_(stream) {}

  void OnArrived() override { stream_.ReadFromStranger(); }
  void OnRead(std::optional<std::string_view> message) override {
    if (!message.has_value()) return stream_.Finish(grpc::Status::OK);
    if (message->size() > Reflection::kMaxQuestionBytes || ++questions_ > Reflection::kMaxQuestions) {
      return stream_.Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, "too long a question, or too many on this stream"});
    }
    if (!request_.ParseFromArray(message->data(), static_cast<int>(message->size()))) {
      return stream_.Finish({grpc::StatusCode::INVALID_ARGUMENT, "not a ServerReflectionRequest"});
    }
    stream_.loop().InTurn(kStrangers, [this] {
      stream_.StayOpen();
      stream_.Write(reflection_.SerializedAnswer(request_));
    });
  }
  void OnWritten(bool ok) override {
    if (ok) return stream_.ReadFromStranger();
    stream_.Finish(grpc::Status::CANCELLED);
  }

 private:
  const Reflection& reflection_;
  GrpcStream& stream_;
  ServerReflectionRequest request_;  // The one to answer.
  int questions_ = 0;
};

}  // namespace

std::unique_ptr<GrpcStream::Handler> Reflection::Handle(GrpcStream& stream) const {
  return std::make_unique<ReflectionHandler>(*this, stream);
}

ServerReflectionResponse Reflection::Answer(const ServerReflectionRequest& request) const {
  ServerReflectionResponse response;
  HAPAX_CHECK(response.ParseFromString(SerializedAnswer(request)), "an answer is a message");
  return response;
}

std::string Reflection::SerializedAnswer(const ServerReflectionRequest& request) const {
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  if (const FileDescriptor* file = FileOf(request)) {
    // Appends the last field in serialized form: a tag, a length and the remembered bytes.
    const std::shared_ptr<const std::string> answer = FileAnswer(*file);
    std::string bytes = response.SerializeAsString();
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.WriteTag(WireFormatLite::MakeTag(ServerReflectionResponse::kFileDescriptorResponseFieldNumber,
                                           WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    coded.WriteVarint32(static_cast<uint32_t>(answer->size()));
    coded.WriteString(*answer);
    coded.Trim();
    return bytes;
  }
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      AnswerUnknown(request.file_by_filename(), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      AnswerUnknown(request.file_containing_symbol(), response);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      AnswerUnknown("that extension of " + request.file_containing_extension().containing_type(), response);
      break;
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
  return response.SerializeAsString();
}

std::shared_ptr<const std::string> Reflection::FileAnswer(const FileDescriptor& file) const {
  absl::MutexLock lock(&mu_);
  std::shared_ptr<const std::string>& answer = file_answers_[&file];
  if (answer == nullptr) {
    FileDescriptorResponse response;
    std::set<std::string> added;
    AddFile(file, added, response);
    answer = std::make_shared<const std::string>(response.SerializeAsString());
  }
  return answer;
}

}  // namespace hapax
