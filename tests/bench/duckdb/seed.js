// The seed detection in DuckDB, by hand in SQL: over a file of JSON lines, and over a table of
// DuckDB's own that was made from it. Prints one line of JSON.
//   node seed.js ROWS.jsonl NOW REPETITIONS

import { DuckDBInstance } from '@duckdb/node-api';

const [file, now, repetitions] = process.argv.slice(2);
// One thread, as Picket evaluates a query.
const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const db = await instance.connect();

const rows = `read_json('${file}', format = 'newline_delimited', columns = {
  TimeGenerated: 'TIMESTAMP', UserPrincipalName: 'VARCHAR', AppDisplayName: 'VARCHAR',
  IPAddress: 'VARCHAR', LocationDetails: 'JSON', DeviceDetail: 'JSON', ResultType: 'VARCHAR',
  RiskLevelDuringSignIn: 'VARCHAR', RiskLevelAggregated: 'VARCHAR', RiskState: 'VARCHAR',
  RiskEventTypes_V2: 'VARCHAR', ConditionalAccessStatus: 'VARCHAR',
  AuthenticationRequirement: 'VARCHAR', HomeTenantId: 'VARCHAR', ResourceTenantId: 'VARCHAR' })`;

const types = ['impossibleTravel', 'anonymizedIPAddress', 'maliciousIPAddress',
  'unfamiliarFeatures', 'passwordSpray', 'leakedCredentials', 'nationStateIP', 'riskyIPAddress',
  'investigationsThreatIntelligence'];
const seed = (source) => `
  WITH flagged AS (
    SELECT *, RiskLevelDuringSignIn IN ('high', 'medium') AS high_risk,
      RiskState IN ('atRisk', 'confirmedCompromised') AS compromised,
      regexp_matches(RiskEventTypes_V2, '(?i)\\b(${types.join('|')})\\b') AS risk_event,
      AuthenticationRequirement = 'singleFactorAuthentication' AND HomeTenantId <> ''
        AND HomeTenantId <> ResourceTenantId AS one_factor_abroad
    FROM ${source}
    WHERE TimeGenerated > TIMESTAMP '${now}' - INTERVAL 1 DAY AND ResultType = '0')
  SELECT TimeGenerated, UserPrincipalName, AppDisplayName, IPAddress,
    LocationDetails->>'countryOrRegion' AS CountryCode, LocationDetails->>'city' AS City,
    DeviceDetail->>'browser' AS ParsedBrowser, DeviceDetail->>'operatingSystem' AS ParsedOS,
    RiskLevelDuringSignIn, RiskLevelAggregated, RiskState, RiskEventTypes_V2,
    ConditionalAccessStatus, AuthenticationRequirement, HomeTenantId, ResourceTenantId,
    CASE WHEN compromised THEN 'ConfirmedCompromise'
      WHEN high_risk AND risk_event THEN 'HighRisk+Event:' || RiskEventTypes_V2
      WHEN high_risk THEN 'HighRiskSignIn'
      WHEN risk_event THEN 'RiskEvent:' || RiskEventTypes_V2
      ELSE 'CrossTenantMFABypass' END AS AlertReason,
    high_risk::INT + compromised::INT + risk_event::INT + one_factor_abroad::INT
      AS RiskIndicatorCount
  FROM flagged
  WHERE high_risk OR compromised OR risk_event OR one_factor_abroad
  ORDER BY RiskIndicatorCount DESC, TimeGenerated DESC`;

async function median(source) {
  const times = [];
  let found = 0;
  for (let i = 0; i < Number(repetitions); ++i) {
    const begin = performance.now();
    found = (await db.runAndReadAll(seed(source))).currentRowCount;
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return { ms: times[Math.floor(times.length / 2)], found };
}

const json = await median(rows);
const begin = performance.now();
await db.run(`CREATE TABLE sign_ins AS SELECT * FROM ${rows}`);
const load = performance.now() - begin;
const table = await median('sign_ins');
const version = (await db.runAndReadAll('SELECT version()')).getRows()[0][0];
console.log(JSON.stringify({ version, json, load_ms: load, table }));
