#include "hapax/server/grpc/reflection.h"

#include <set>
#include <utility>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/wire_format_lite.h"
#include "hapax/base/check.h"

namespace hapax {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::internal::WireFormatLite;
using grpc::reflection::v1alpha::FileDescriptorResponse;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

const DescriptorPool& Pool() { return *DescriptorPool::generated_pool(); }

void AnswerError(grpc::StatusCode code, const std::string& message, ServerReflectionResponse& response) {
  response.mutable_error_response()->set_error_code(code);
  response.mutable_error_response()->set_error_message(message);
}

// Adds the file, after all its imports.
void AddFile(const FileDescriptor& file, std::set<const FileDescriptor*>& added, FileDescriptorResponse& response) {
  if (!added.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFile(*file.dependency(i), added, response);
  google::protobuf::FileDescriptorProto proto;
  file.CopyTo(&proto);
  response.add_file_descriptor_proto(proto.SerializeAsString());
}

// The file that a question names; null if it names none, or one that does not exist.
const FileDescriptor* FileOf(const ServerReflectionRequest& request) {
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      return Pool().FindFileByName(request.file_by_filename());
    case ServerReflectionRequest::kFileContainingSymbol:
      return Pool().FindFileContainingSymbol(request.file_containing_symbol());
    case ServerReflectionRequest::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const Descriptor* message = Pool().FindMessageTypeByName(wanted.containing_type());
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
  const Descriptor* message = Pool().FindMessageTypeByName(type);
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
    std::set<const FileDescriptor*> added;
    AddFile(file, added, response);
    answer = std::make_shared<const std::string>(response.SerializeAsString());
  }
  return answer;
}

}  // namespace hapax
