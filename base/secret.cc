#include "base/secret.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "base/text.h"

namespace picket {
namespace {

constexpr std::size_t kMaxSecretBytes = 64 * 1024;

// The whole buffer: what was moved from a short string is still in it, beyond its length.
void Wipe(std::string& value) noexcept {
  value.resize(value.capacity());
  OPENSSL_cleanse(value.data(), value.size());
  value.clear();
}

Error BadReference(std::string message) {
  return {.kind = ErrorKind::kInvalidConfig,
          .message = std::move(message),
          .hint =
              "Write a reference: \"@{file:/path}\", \"@{env:NAME}\" or "
              "\"@{credential:NAME}\"."};
}

Result<SecretString> ReadSecretFile(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IRWXO) != 0) {
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = "the secret file " + path.string() + " can be read by others",
                 .hint = "chmod 600 " + path.string()});
  }
  Result<std::string> content = ReadFile(path, kMaxSecretBytes);
  if (!content) {
    Error error = std::move(content).error();
    error.kind = ErrorKind::kInvalidConfig;
    if (error.hint.empty()) error.hint = "Put the secret into that file, or correct the reference.";
    return Fail(std::move(error).In("secret"));
  }
  // An editor's last line break is no part of a text; a PFX file may well end in such a byte.
  const bool text = content->find('\0') == std::string::npos && IsValidUtf8(*content);
  while (text && !content->empty() && (content->back() == '\n' || content->back() == '\r')) {
    content->pop_back();
  }
  if (text && Trim(*content).empty()) {
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = "the secret file " + path.string() + " is empty",
                 .hint = "Put the secret into that file, or correct the reference."});
  }
  return SecretString(*std::move(content));
}

}  // namespace

SecretString::SecretString(SecretString&& other) noexcept : value_(std::move(other.value_)) {
  Wipe(other.value_);
}

SecretString& SecretString::operator=(SecretString&& other) noexcept {
  if (this != &other) {
    Wipe(value_);
    value_ = std::move(other.value_);
    Wipe(other.value_);
  }
  return *this;
}

SecretString::~SecretString() { Wipe(value_); }

Result<SecretRef> ParseSecretRef(std::string_view text) {
  if (text.size() < 3 || text.substr(0, 2) != "@{" || text.back() != '}') {
    return Fail(BadReference("a secret must be a reference, not the secret itself"));
  }
  const std::string_view inside = text.substr(2, text.size() - 3);
  const std::size_t colon = inside.find(':');
  if (colon == std::string_view::npos || colon + 1 == inside.size()) {
    return Fail(BadReference("a secret reference needs a store and a key"));
  }
  SecretRef ref{.store = std::string(inside.substr(0, colon)),
                .key = std::string(inside.substr(colon + 1))};
  if (ref.store != "file" && ref.store != "env" && ref.store != "credential") {
    return Fail(BadReference(
        fmt::format("unknown secret store '{}'", EscapeTerminal(ref.store.substr(0, 32)))));
  }
  return ref;
}

Result<SecretString> ReadSecret(const SecretRef& ref) {
  if (ref.store == "file") return ReadSecretFile(ref.key);
  if (ref.store == "env") {
    const char* value = std::getenv(ref.key.c_str());
    if (value != nullptr && *value != '\0') return SecretString(value);
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = "the environment variable " + EscapeTerminal(ref.key) + " is not set",
                 .hint = "Set it where Picket is started."});
  }
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || ref.key.find('/') != std::string::npos) {
    return Fail({.kind = ErrorKind::kInvalidConfig,
                 .message = "there is no credential '" + EscapeTerminal(ref.key) + "'",
                 .hint = "systemd gives credentials by LoadCredential= in the unit."});
  }
  return ReadSecretFile(std::filesystem::path(directory) / ref.key);
}

}  // namespace picket
