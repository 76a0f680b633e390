#include "hapax/server/doors/openstack/identity.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hapax/base/status_macros.h"
#include "hapax/server/doors/openstack/json_fields.h"

namespace hapax::openstack {
namespace {

constexpr absl::Duration kTokenLifetime = absl::Hours(24);

// What a body of POST /v3/auth/tokens says.
struct Login {
  std::string method;
  std::string user;     // Name, or id.
  std::string project;  // Name, or id; empty: none was named.
  std::string secret;   // Password, secret or token.
};

std::string NameOrId(JsonFields& object) {
  std::string name = object.Text("name");
  std::string id = object.Text("id");
  return name.empty() ? id : name;
}

absl::Status ReadPassword(JsonFields& identity, Login& login) {
  JsonFields password = identity.RequiredObject("password");
  JsonFields user = password.RequiredObject("user");
  login.user = NameOrId(user);
  login.secret = user.Text("password");
  user.Take("domain");
  HAPAX_RETURN_IF_ERROR(user.Finish());
  return password.Finish();
}

absl::Status ReadApplicationCredential(JsonFields& identity, Login& login) {
  JsonFields credential = identity.RequiredObject("application_credential");
  login.project = NameOrId(credential);
  login.secret = credential.Text("secret");
  JsonFields user = credential.Object("user");
  login.user = NameOrId(user);
  user.Take("domain");
  HAPAX_RETURN_IF_ERROR(user.Finish());
  return credential.Finish();
}

absl::Status ReadToken(JsonFields& identity, Login& login) {
  JsonFields token = identity.RequiredObject("token");
  login.secret = token.RequiredText("id");
  return token.Finish();
}

absl::Status ReadScope(JsonFields& auth, Login& login) {
  // The text `unscoped` asks for no project.
  if (auth.TakeIfText("scope", "unscoped")) return absl::OkStatus();
  JsonFields scope = auth.Object("scope");
  JsonFields project = scope.Object("project");
  if (const std::string name = NameOrId(project); !name.empty()) login.project = name;
  project.Take("domain");
  HAPAX_RETURN_IF_ERROR(project.Finish());
  return scope.Finish();
}

absl::StatusOr<Login> ReadLogin(std::string_view text) {
  HAPAX_ASSIGN_OR_RETURN(JsonFields body, JsonFields::Parse(text));
  JsonFields auth = body.RequiredObject("auth");
  JsonFields identity = auth.RequiredObject("identity");
  Login login;
  if (identity.Has("password")) {
    login.method = "password";
    HAPAX_RETURN_IF_ERROR(ReadPassword(identity, login));
  } else if (identity.Has("application_credential")) {
    login.method = "application_credential";
    HAPAX_RETURN_IF_ERROR(ReadApplicationCredential(identity, login));
  } else if (identity.Has("token")) {
    login.method = "token";
    HAPAX_RETURN_IF_ERROR(ReadToken(identity, login));
  } else {
    identity.Refuse("methods", "must be password, application_credential or token");
  }
  identity.Take("methods");
  HAPAX_RETURN_IF_ERROR(identity.Finish());
  HAPAX_RETURN_IF_ERROR(ReadScope(auth, login));
  HAPAX_RETURN_IF_ERROR(auth.Finish());
  HAPAX_RETURN_IF_ERROR(body.Finish());
  return login;
}

std::string TokenOf(const Login& login, Identity identity) {
  switch (identity) {
    case Identity::kProject:
      if (!login.project.empty()) return login.project;
      // A token that was given before is a project's name.
      return login.method == "token" ? login.secret : "default";
    case Identity::kApiKey:
      return login.secret;
    case Identity::kCertificate:
      return "certificate";
  }
  return "";
}

JsonObject Endpoint(const std::string& type, const std::string& region, const std::string& url) {
  return JsonObject()
      .Text("id", type + "-" + region)
      .Text("interface", "public")
      .Text("region", region)
      .Text("region_id", region)
      .Text("url", url);
}

// The default region comes first: it is what a client takes that names none.
JsonObject Service(const Exchange& exchange, const std::string& type, const std::string& name,
                   const std::string& path) {
  const std::string base = exchange.request.BaseUrl();
  const std::string& default_region = exchange.options.default_region;
  std::vector<JsonObject> endpoints = {Endpoint(type, default_region, base + path)};
  for (const std::string& region : exchange.options.catalog.regions()) {
    if (region != default_region) endpoints.push_back(Endpoint(type, region, base + "/regions/" + region + path));
  }
  return JsonObject().Text("type", type).Text("name", name).Text("id", name).Objects("endpoints", endpoints);
}

JsonObject Named(const std::string& name) {
  return JsonObject()
      .Text("id", name)
      .Text("name", name)
      .Object("domain", JsonObject().Text("id", "default").Text("name", "Default"));
}

HttpReply LoginReply(const Exchange& exchange, const Login& login) {
  const absl::Time now = absl::Now();
  const auto text = [](absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone()); };
  JsonObject token;
  token.Texts("methods", {login.method})
      .Object("user", Named(login.user.empty() ? exchange.CallerName() : login.user).Null("password_expires_at"))
      .Objects("roles", {JsonObject().Text("id", "member").Text("name", "member")})
      .Object("project", Named(login.project.empty() ? exchange.CallerName() : login.project))
      .Bool("is_domain", false)
      .Text("issued_at", text(now))
      .Text("expires_at", text(now + kTokenLifetime))
      .Objects("catalog",
               {Service(exchange, "compute", "nova", "/v2.1"), Service(exchange, "image", "glance", "/image")});
  HttpReply reply = JsonReply(201, JsonObject().Object("token", token));
  reply.headers.emplace_back("X-Subject-Token", exchange.token);
  return reply;
}

}  // namespace

void ShowIdentityVersion(ExchangePtr exchange) {
  const std::string url = exchange->request.BaseUrl() + "/v3/";
  const JsonObject version = JsonObject()
                                 .Text("id", "v3.14")
                                 .Text("status", "stable")
                                 .Text("updated", "2020-04-07T00:00:00Z")
                                 .Objects("links", {JsonObject().Text("rel", "self").Text("href", url)});
  Exchange::Send(std::move(exchange), JsonReply(200, JsonObject().Object("version", version)));
}

void LogIn(ExchangePtr exchange) {
  absl::StatusOr<Login> login = ReadLogin(exchange->request.body);
  if (!login.ok()) return Exchange::Send(std::move(exchange), login.status());
  exchange->token = TokenOf(*login, exchange->options.identity);
  exchange->has_token = !exchange->token.empty();
  Exchange::Authenticate(std::move(exchange), [login = *std::move(login)](ExchangePtr self) {
    HttpReply reply = LoginReply(*self, login);
    Exchange::Send(std::move(self), std::move(reply));
  });
}

}  // namespace hapax::openstack
