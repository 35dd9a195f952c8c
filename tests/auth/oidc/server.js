// A certified OpenID provider in Entra's place: one tenant, two clients, one resource. Prints its
// port as the first line and serves until its standard input ends.
//
// node server.js TENANT_GUID CLIENT_BY_SECRET SECRET CLIENT_BY_CERTIFICATE CERTIFICATE.pem
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [tenant, secretClient, secret, certificateClient, certificateFile] = process.argv.slice(2);
const audience = 'https://graph.example';
const scope = `${audience}/.default`;
const certificate = new X509Certificate(readFileSync(certificateFile));
const thumbprint = Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex')
  .toString('base64url');

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const { port } = server.address();

const client = {
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  scope,
};
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      ...client,
      client_id: secretClient,
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      ...client,
      client_id: certificateClient,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'PS256',
      jwks: { keys: [{ ...certificate.publicKey.export({ format: 'jwk' }), use: 'sig' }] },
    },
  ],
  clientAuthMethods: ['client_secret_post', 'private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'RS256'] },
  scopes: [scope, 'https://another.example/.default'], // the other one is for no client
  routes: { token: `/${tenant}/oauth2/v2.0/token` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => ({
        scope,
        audience,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3599,
      }),
    },
  },
  extraTokenClaims: (ctx, token) => ({
    tid: tenant,
    appid: token.clientId,
    roles: ['AuditLog.Read.All'],
  }),
});

// The provider picks a client's key by its signature; Entra by the thumbprint, so that counts too.
provider.use(async (ctx, next) => {
  await next();
  const assertion = ctx.oidc?.body?.client_assertion;
  if (ctx.status !== 200 || !assertion) return;
  const header = JSON.parse(Buffer.from(assertion.split('.')[0], 'base64url'));
  if (header['x5t#S256'] === thumbprint) return;
  ctx.status = 401;
  ctx.body = { error: 'invalid_client', error_description: 'thumbprint' };
});

server.on('request', provider.callback());
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
console.log(port);
