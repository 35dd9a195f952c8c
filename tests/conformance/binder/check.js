// What Microsoft's own KQL parser and binder says of queries; it executes nothing.
//
//   node check.js TABLES.txt QUERY.kql …
//
// TABLES.txt: Picket's declared tables (scripts/declare-tables). One JSON line a query:
//   {"name", "errors": [{"code", "message", "start", "length"}], "columns": [{"name", "type"}]}
'use strict';
const fs = require('fs');
const path = require('path');

const home = path.dirname(require.resolve('@kusto/language-service-next/package.json'));
require(path.join(home, 'bridge.min.js'));
require(path.join(home, 'Kusto.Language.Bridge.min.js'));
const { Symbols } = Kusto.Language;

const types = {
  b: 'bool', c: 'decimal', d: 'dynamic', g: 'guid', i: 'int', l: 'long', n: 'timespan', r: 'real',
  t: 'datetime',
};

function table(line) {
  const [name, ...columns] = line.split(' ');
  const list = columns.map((column) => {
    const [of, letter] = column.split(':');
    return `['${of}']: ${letter ? types[letter] : 'string'}`;
  });
  return new Symbols.TableSymbol.$ctor7(name, `(${list.join(', ')})`, null);
}

function items(list, take) {
  const taken = [];
  for (let i = 0; list && i < list.Count; i++) taken.push(take(list.getItem(i)));
  return taken;
}

const [tables, ...queries] = process.argv.slice(2);
const symbols = fs.readFileSync(tables, 'utf8').trim().split('\n').map(table);
const database =
    new Symbols.DatabaseSymbol.$ctor1('db', System.Array.init(symbols, Symbols.Symbol), false);
const globals = Kusto.Language.GlobalState.Default.WithDatabase(database);

for (const file of queries) {
  const code = Kusto.Language.KustoCode.ParseAndAnalyze(fs.readFileSync(file, 'utf8'), globals);
  const found = items(code.GetDiagnostics(), (each) => each);
  const errors = found.filter((each) => each.Severity === 'Error').map((each) => (
    { code: each.Code, message: each.Message, start: each.Start, length: each.Length }));
  const columns = items(code.ResultType && code.ResultType.Columns,
      (column) => ({ name: column.Name, type: column.Type.Name }));
  console.log(JSON.stringify({ name: path.basename(file), errors, columns }));
}
