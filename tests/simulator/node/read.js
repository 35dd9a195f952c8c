// Reads the simulator with Microsoft's own clients. The argument: the simulator's line of JSON.
// Prints one line a check; exits 1 when one fails.
import { readFileSync } from 'node:fs';
import { createHash, X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication } from '@azure/msal-node';
import { Client, PageIterator } from '@microsoft/microsoft-graph-client';

const line = JSON.parse(process.argv[2]);
const tenant = line.tenants[0];
const host = new URL(line.authority).host;
const pem = readFileSync(line.certificate_file, 'utf8');
const certificate = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')));
const thumbprintSha256 = createHash('sha256').update(certificate.raw).digest('hex');

const check = (what, good) => {
  console.log(`${good ? 'ok' : 'NOT OK'}: ${what}`);
  if (!good) process.exitCode = 1;
};

const application = (credential) =>
  new ConfidentialClientApplication({
    auth: {
      clientId: line.client_id,
      authority: `${line.authority}/${tenant.id}`,
      knownAuthorities: [host],
      ...credential,
    },
  });
const scopes = [`${line.graph}/.default`];

const bySecret = application({ clientSecret: line.client_secret });
check('msal-node gets a token by secret', (await bySecret.acquireTokenByClientCredential({ scopes })).accessToken);
const byCertificate = application({ clientCertificate: { thumbprintSha256, privateKey: pem } });
check('msal-node gets a token by certificate',
  (await byCertificate.acquireTokenByClientCredential({ scopes })).accessToken);
try {
  await application({ clientSecret: 'wrong' }).acquireTokenByClientCredential({ scopes });
  check('a wrong secret is refused', false);
} catch (error) {
  check('a wrong secret is refused by its number', String(error.errorMessage).includes('AADSTS7000215'));
}

const client = Client.initWithMiddleware({
  baseUrl: `${line.graph}/`,
  customHosts: new Set([new URL(line.graph).hostname]),
  authProvider: {
    getAccessToken: async () => (await bySecret.acquireTokenByClientCredential({ scopes })).accessToken,
  },
});

const readAll = async (version, path, filter, top) => {
  const ids = [];
  let request = client.api(path).version(version).top(top);
  if (filter) request = request.filter(filter);
  const iterator = new PageIterator(client, await request.get(), (record) => {
    ids.push(record.id);
    return true;
  });
  await iterator.iterate();
  return ids;
};
const same = (what, ids, expected) =>
  check(`${what}: ${new Set(ids).size} of ${expected}`, new Set(ids).size === expected);

const type = (name) => `signInEventTypes/any(t: t eq '${name}')`;
same('beta interactive', await readAll('beta', '/auditLogs/signIns', type('interactiveUser'), 100),
  tenant.emitted['signIns.interactive']);
same('beta non-interactive', await readAll('beta', '/auditLogs/signIns', type('nonInteractiveUser'), 100),
  tenant.emitted['signIns.nonInteractive']);
same('v1.0 is interactive only', await readAll('v1.0', '/auditLogs/signIns', '', 200),
  tenant.emitted['signIns.interactive']);
same('risk detections', await readAll('v1.0', '/identityProtection/riskDetections', '', 2),
  tenant.emitted.riskDetections);
