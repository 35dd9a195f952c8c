// Reads the simulator with Microsoft's own clients, and says what they made of it. The argument: a
// JSON file that says where, as whom and what; never on the command line, for it holds a secret.
// Prints one line of JSON.
import { readFileSync } from 'node:fs';
import { createHash, X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication } from '@azure/msal-node';
import { Client, PageIterator } from '@microsoft/microsoft-graph-client';

const task = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const scopes = [`${task.graph}/.default`];

const keyAndCertificate = (file) => {
  const privateKey = readFileSync(file, 'utf8');
  const certificate = new X509Certificate(privateKey.slice(privateKey.indexOf('-----BEGIN CERTIFICATE')));
  const hex = (algorithm) => createHash(algorithm).update(certificate.raw).digest('hex');
  return { privateKey, sha1: hex('sha1'), sha256: hex('sha256') };
};
const registered = keyAndCertificate(task.certificate_file);
const stranger = keyAndCertificate(task.other_certificate_file);

const application = (credential, tenant = task.tenant, clientId = task.client_id) =>
  new ConfidentialClientApplication({
    auth: {
      clientId,
      authority: `${task.authority}/${tenant}`,
      knownAuthorities: [new URL(task.authority).host],
      ...credential,
    },
  });

const bySecret = application({ clientSecret: task.client_secret });
const applications = {
  secret: bySecret,
  // PS256 with x5t#S256, and RS256 with x5t.
  sha256: application({ clientCertificate: { thumbprintSha256: registered.sha256, privateKey: registered.privateKey } }),
  sha1: application({ clientCertificate: { thumbprint: registered.sha1, privateKey: registered.privateKey } }),
  wrongSecret: application({ clientSecret: 'wrong' }),
  unknownCertificate: application({
    clientCertificate: { thumbprintSha256: stranger.sha256, privateKey: stranger.privateKey },
  }),
  // The registered certificate's name on another key's signature.
  wrongKey: application({
    clientCertificate: { thumbprintSha256: registered.sha256, privateKey: stranger.privateKey },
  }),
  wrongTenant: application({ clientSecret: task.client_secret }, '99999999-9999-4999-8999-999999999999'),
  wrongApp: application({ clientSecret: task.client_secret }, task.tenant, '99999999-9999-4999-8999-999999999999'),
};

// "token", or the number of the refusal.
const outcome = async (app) => {
  try {
    return (await app.acquireTokenByClientCredential({ scopes })).accessToken ? 'token' : 'nothing';
  } catch (error) {
    return /AADSTS\d+/.exec(String(error.errorMessage))?.[0] ?? String(error);
  }
};

const client = Client.initWithMiddleware({
  baseUrl: `${task.graph}/`,
  customHosts: new Set([new URL(task.graph).hostname]),
  authProvider: {
    getAccessToken: async () => (await bySecret.acquireTokenByClientCredential({ scopes })).accessToken,
  },
});

const readAll = async ({ version, path, filter, top }) => {
  const ids = [];
  let request = client.api(path).version(version);
  if (top) request = request.top(top);
  if (filter) request = request.filter(filter);
  const iterator = new PageIterator(client, await request.get(), (record) => {
    ids.push(record.id);
    return true;
  });
  await iterator.iterate();
  return ids;
};

const said = { outcomes: {}, lists: {} };
for (const [name, app] of Object.entries(applications)) said.outcomes[name] = await outcome(app);
for (const list of task.lists) said.lists[list.name] = await readAll(list);
console.log(JSON.stringify(said));
