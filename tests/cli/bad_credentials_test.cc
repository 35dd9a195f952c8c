// A credential that is unusable, or that Entra ID refuses: which, why, and what to do.

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <filesystem>

#include "tests/cli/program.h"
#include "tests/simulator/certificates.h"

namespace picket {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

// A self-signed certificate that is valid from `from` to `to` seconds after now.
simulator::AppCertificate MakeCertificate(long from, long to, unsigned bits = 2048) {
  const simulator::KeyPtr key(EVP_RSA_gen(bits));
  const simulator::CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), to);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  BIO* pem = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(pem, certificate.get());
  simulator::AppCertificate made;
  made.certificate_pem = TextOf(pem);
  pem = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(pem, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  made.key_pem = TextOf(pem);
  return made;
}

constexpr long kDays = 24L * 3600;
constexpr const char* kByCertificate =
    "credential = \"certificate\"\ncertificate = \"@{file:app.pem}\"\n";

class CredentialTest : public TenantTest {
 protected:
  // The same credential: `validate` names it (1), `once` is refused for all tenants (77).
  void ExpectRefused(const ConfigSpec& spec, const std::vector<std::string>& says) {
    WriteConfig(spec);
    Emit();
    const Outcome validate = Picket("validate");
    EXPECT_EQ(validate.code, 1) << validate.out;
    const Outcome once = Once();
    EXPECT_EQ(once.code, 77) << once.out;
    for (const std::string& words : says) {
      EXPECT_THAT(validate.out, HasSubstr(words));
      EXPECT_THAT(once.out, HasSubstr(words));
    }
    EXPECT_THAT(validate.out + once.out, Not(HasSubstr("PRIVATE KEY")));
    EXPECT_THAT(validate.out + once.out, Not(HasSubstr("hunter2")));
    ExpectNothingLost();
  }
};

TEST_F(CredentialTest, ACertificateWithItsKeyWorks) {
  const simulator::AppCertificate app = MakeCertificate(-kDays, 365 * kDays);
  Write("app.pem", app.key_pem + app.certificate_pem);
  ReadAll();
  WriteConfig({.credential = kByCertificate});
  // The app of this config, with the certificate.
  std::string text = Read("picket.toml");
  const std::string id = text.substr(text.find("client_id = \"") + 13, 36);
  graph_->RegisterApp({.client_id = id, .certificates = {app.certificate_pem}});
  EXPECT_EQ(Picket("validate").code, 0);
  Emit();
  EXPECT_EQ(Once().code, 0);
  ExpectNothingLost();
}

TEST_F(CredentialTest, ACertificateWithoutItsKey) {
  ReadAll();
  Write("app.pem", MakeCertificate(-kDays, 365 * kDays).certificate_pem);
  ExpectRefused({.credential = kByCertificate}, {"private key"});
}

TEST_F(CredentialTest, AKeyWithoutItsCertificate) {
  ReadAll();
  Write("app.pem", MakeCertificate(-kDays, 365 * kDays).key_pem);
  ExpectRefused({.credential = kByCertificate}, {"certificate"});
}

TEST_F(CredentialTest, AKeyOfAnotherCertificate) {
  ReadAll();
  Write("app.pem", MakeCertificate(-kDays, 365 * kDays).key_pem +
                       MakeCertificate(-kDays, 365 * kDays).certificate_pem);
  ExpectRefused({.credential = kByCertificate}, {"another"});
}

TEST_F(CredentialTest, AnExpiredCertificate) {
  ReadAll();
  const simulator::AppCertificate app = MakeCertificate(-10 * kDays, -2 * kDays);
  Write("app.pem", app.key_pem + app.certificate_pem);
  ExpectRefused({.credential = kByCertificate}, {"the certificate expired on", "Make a new one"});
}

TEST_F(CredentialTest, ACertificateOfTomorrow) {
  ReadAll();
  const simulator::AppCertificate app = MakeCertificate(kDays, 20 * kDays);
  Write("app.pem", app.key_pem + app.certificate_pem);
  ExpectRefused({.credential = kByCertificate}, {"is valid only from"});
}

TEST_F(CredentialTest, ACertificateThatExpiresSoonIsWarnedOf) {
  const simulator::AppCertificate app = MakeCertificate(-kDays, 5 * kDays);
  Write("app.pem", app.key_pem + app.certificate_pem);
  WriteConfig({.credential = kByCertificate});
  const Outcome validate = Picket("validate --offline");
  EXPECT_EQ(validate.code, 0) << validate.out;
  EXPECT_THAT(validate.out, HasSubstr("warn  [app] certificate: it expires at"));
}

TEST_F(CredentialTest, AFileThatIsNoCertificateAtAll) {
  ReadAll();
  Write("app.pem", "hello hunter2\n");
  ExpectRefused({.credential = kByCertificate}, {"certificate"});
}

TEST_F(CredentialTest, ACertificateFileThatIsMissing) {
  ReadAll();
  ExpectRefused({.credential = kByCertificate},
                {"cannot read app.pem: No such file or directory", "correct the reference"});
}

TEST_F(CredentialTest, ASecretFileThatOthersMayRead) {
  ReadAll();
  Write("open", "hunter2");
  std::filesystem::permissions(dir_ / "open", std::filesystem::perms(0644));
  ExpectRefused({.credential = "credential = \"secret\"\nclient_secret = \"@{file:open}\"\n"},
                {"open can be read by others", "chmod 600 open"});
}

TEST_F(CredentialTest, AnEnvironmentVariableThatIsNotSet) {
  ReadAll();
  ExpectRefused(
      {.credential = "credential = \"secret\"\nclient_secret = \"@{env:PICKET_NOT_SET}\"\n"},
      {"the environment variable PICKET_NOT_SET is not set", "Set it"});
}

TEST_F(CredentialTest, AWrongSecret) {
  ReadAll();
  Write("wrong", "hunter2");
  ExpectRefused({.credential = "credential = \"secret\"\nclient_secret = \"@{file:wrong}\"\n"},
                {"AADSTS7000215", "the client secret is wrong", "not its id"});
}

TEST_F(CredentialTest, AWrongTenantId) {
  ReadAll();
  ExpectRefused({.tenant_id = "6a0f2f36-7c0e-4c83-9d5e-111111111111"},
                {"AADSTS90002", "Entra ID knows no such tenant", "Check tenant_id"});
}

TEST_F(CredentialTest, AnApplicationThatTheTenantDoesNotKnow) {
  ReadAll();
  WriteConfig();
  std::string text = Read("picket.toml");
  const std::size_t id = text.find("client_id = \"") + 13;
  text.replace(id, 36, "2d0f2f36-7c0e-4c83-9d5e-222222222222");
  Write("picket.toml", text);
  const Outcome once = Once();
  EXPECT_EQ(once.code, 77) << once.out;
  EXPECT_THAT(once.out, HasSubstr("AADSTS700016"));
  EXPECT_THAT(once.out, HasSubstr("Check client_id"));
  ExpectNothingLost();
}

TEST_F(CredentialTest, ATokenOfAnotherTenantIsNotUsed) {
  graph_->AddTenant({.id = *ParseGuid("6a0f2f36-7c0e-4c83-9d5e-333333333333")});
  ReadAll();
  graph_->faults().Add({.path = "/oauth2/v2.0/token",
                        .count = 100,
                        .fault = {.kind = simulator::FaultKind::kWrongTenant}});
  WriteConfig();
  Emit();
  const Outcome once = Once();
  EXPECT_EQ(once.code, 77) << once.out;
  EXPECT_THAT(once.out, HasSubstr("6a0f2f36-7c0e-4c83-9d5e-333333333333"));
  graph_->faults().Clear();
  ExpectNothingLost();
}

TEST_F(CredentialTest, WhenEntraIdCannotBeReachedValidateNamesEachTenantThatIsNotChecked) {
  WriteConfig({.more = "[[tenant]]\nname = \"fabrikam\"\n"
                       "tenant_id = \"6a0f2f36-7c0e-4c83-9d5e-333333333333\"\n"});
  graph_->Stop();
  const Outcome validate = Picket("validate");
  EXPECT_EQ(validate.code, 69) << validate.out;
  EXPECT_THAT(validate.out, HasSubstr("?     tenant contoso: "));
  EXPECT_THAT(validate.out, HasSubstr("?     tenant fabrikam: "));
  EXPECT_THAT(validate.out, HasSubstr("Check the network"));
}

}  // namespace
}  // namespace picket
