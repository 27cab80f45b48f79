#!/usr/bin/env node
// Stand-in for Prisma's native `query-engine` binary, for machines which can
// install npm packages but cannot download that binary.
//
// prisma-client-python starts the program named by PRISMA_QUERY_ENGINE_BINARY
// with `-p PORT`, waits for GET /status, and then POSTs GraphQL. This program
// answers with the WASM build of the SAME query engine, which the npm package
// @prisma/client ships (runtime/query_engine_bg.postgresql.wasm), talking to
// PostgreSQL through @prisma/adapter-pg. That build speaks only Prisma's JSON
// protocol, so GraphQL is translated to it on the way in and typed values are
// flattened to GraphQL's plain ones on the way out.
//
// node_modules is looked for beside this file's real place or in
// LAB_NODE_MODULES.
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');

const VERSION = '393aa359c9ad4a4bb28630fb5613f9c281cde053';
if (process.argv.includes('--version')) {
  console.log('query-engine ' + VERSION);
  process.exit(0);
}
const nm = process.env.LAB_NODE_MODULES ||
  path.join(path.dirname(fs.realpathSync(__filename)), 'node_modules');
const req = (name) => require(path.join(nm, name));

const argv = process.argv.slice(2);
const port = Number(argv[argv.indexOf('-p') + 1]);
const datamodel = fs.readFileSync(process.env.PRISMA_DML_PATH, 'utf8');

function databaseUrl() {
  const o = process.env.OVERWRITE_DATASOURCES;
  if (o) {
    const list = JSON.parse(o);
    if (list.length && list[0].url) return list[0].url;
  }
  const m = datamodel.match(/datasource\s+\w+\s*\{[^}]*?url\s*=\s*(?:env\("([^"]+)"\)|"([^"]+)")/);
  return m[1] ? process.env[m[1]] : m[2];
}

// ------------------------------------------------ GraphQL (the subset sent)
function parseGraphQL(src) {
  let i = 0;
  const ws = () => { while (i < src.length && /[\s,]/.test(src[i])) i++; };
  const fail = (m) => { throw new Error(`GraphQL: ${m} at ${i}: ${src.slice(i, i + 60)}`); };
  const peek = () => { ws(); return src[i]; };
  const eat = (c) => { ws(); if (src[i] !== c) fail(`expected ${c}`); i++; };
  const name = () => {
    ws();
    const m = /^[A-Za-z_][A-Za-z0-9_]*/.exec(src.slice(i, i + 200));
    if (!m) fail('expected a name');
    i += m[0].length;
    return m[0];
  };
  const value = () => {
    const c = peek();
    if (c === '"') {
      let j = i + 1;
      while (src[j] !== '"') { if (src[j] === '\\') j++; if (++j > src.length) fail('open string'); }
      const s = JSON.parse(src.slice(i, j + 1));
      i = j + 1;
      return s;
    }
    if (c === '{') {
      i++;
      const o = {};
      while (peek() !== '}') { const k = name(); eat(':'); o[k] = value(); }
      i++;
      return o;
    }
    if (c === '[') {
      i++;
      const a = [];
      while (peek() !== ']') a.push(value());
      i++;
      return a;
    }
    const m = /^-?\d+(\.\d+)?([eE][+-]?\d+)?/.exec(src.slice(i, i + 400));
    if (m) {
      i += m[0].length;
      const n = Number(m[0]);
      if (Number.isInteger(n) && !Number.isSafeInteger(n) && !/[.eE]/.test(m[0])) {
        return { $type: 'BigInt', value: m[0] };
      }
      return n;
    }
    const w = name();
    return w === 'true' ? true : w === 'false' ? false : w === 'null' ? null : w;
  };
  const args = () => {
    const o = {};
    if (peek() !== '(') return o;
    i++;
    while (peek() !== ')') { const k = name(); eat(':'); o[k] = value(); }
    i++;
    return o;
  };
  const selection = () => {
    const sel = {};
    eat('{');
    while (peek() !== '}') {
      const f = name();
      const hasArgs = peek() === '(';
      const a = args();
      if (peek() === '{') sel[f] = { arguments: a, selection: selection() };
      else sel[f] = hasArgs ? { arguments: a, selection: { $scalars: true } } : true;
    }
    i++;
    return sel;
  };
  name(); // query | mutation
  eat('{');
  const alias = name();
  eat(':');
  const field = name();
  const a = args();
  const sel = peek() === '{' ? selection() : {};
  return { alias, field, arguments: a, selection: sel };
}

// Which fields are Json, and which lead to another model. (In GraphQL a Json
// value is a string of JSON; the JSON protocol wants it marked as such.)
const MODELS = {};
for (const m of datamodel.matchAll(/^model\s+(\w+)\s*\{([\s\S]*?)^\}/gm)) {
  MODELS[m[1]] = {};
  for (const f of m[2].matchAll(/^\s*(\w+)\s+(\w+)(\[\])?/gm)) MODELS[m[1]][f[1]] = f[2];
}
function markJson(v, model) {
  if (Array.isArray(v)) return v.map((x) => markJson(x, model));
  if (!v || typeof v !== 'object' || v.$type) return v;
  const wrap = (x) => (typeof x === 'string' ? { $type: 'Json', value: x }
    : Array.isArray(x) ? x.map(wrap)
      : x && typeof x === 'object' ? Object.fromEntries(Object.entries(x).map(
        ([k, y]) => [k, ['equals', 'not', 'set', 'push', 'array_contains', 'array_starts_with',
          'array_ends_with', 'lt', 'lte', 'gt', 'gte'].includes(k) ? wrap(y) : y])) : x);
  const o = {};
  for (const k in v) {
    const type = MODELS[model] && MODELS[model][k];
    o[k] = type === 'Json' ? wrap(v[k]) : markJson(v[k], MODELS[type] ? type : model);
  }
  return o;
}
function markSelection(sel, model) {
  for (const k in sel) {
    if (!sel[k] || typeof sel[k] !== 'object' || !sel[k].selection) continue;
    const type = (MODELS[model] || {})[k];
    const to = MODELS[type] ? type : model;
    sel[k].arguments = markJson(sel[k].arguments, to);
    markSelection(sel[k].selection, to);
  }
}

const ACTIONS = ['findUnique', 'findFirst', 'findMany', 'createOne', 'createMany',
  'updateOne', 'updateMany', 'deleteOne', 'deleteMany', 'upsertOne', 'aggregate', 'groupBy'];
function toJson(g) {
  const query = { arguments: g.arguments, selection: g.selection };
  if (g.field === 'queryRaw' || g.field === 'executeRaw') return { action: g.field, query };
  for (const a of ACTIONS) {
    if (!g.field.startsWith(a)) continue;
    let model = g.field.slice(a.length);
    let action = a;
    if ((a === 'findUnique' || a === 'findFirst') && model.endsWith('OrThrow')) {
      model = model.slice(0, -7);
      action = a + 'OrThrow';
    }
    query.arguments = markJson(query.arguments, model);
    markSelection(query.selection, model);
    return { modelName: model, action, query };
  }
  throw new Error('unknown operation ' + g.field);
}

function plain(v) {
  if (Array.isArray(v)) return v.map(plain);
  if (v && typeof v === 'object') {
    if (typeof v.$type === 'string' && 'value' in v) return v.value;
    const o = {};
    for (const k in v) o[k] = plain(v[k]);
    return o;
  }
  return v;
}

// --------------------------------------------------------------- the engine
const pg = req('pg');
const { PrismaPg } = req('@prisma/adapter-pg');
const { bindAdapter } = req('@prisma/driver-adapter-utils');
const wasmJs = req('@prisma/client/runtime/query_engine_bg.postgresql.js');
const wasm = new WebAssembly.Module(
  fs.readFileSync(path.join(nm, '@prisma/client/runtime/query_engine_bg.postgresql.wasm')));
wasmJs.__wbg_set_wasm(new WebAssembly.Instance(wasm, { './query_engine_bg.js': wasmJs }).exports);

const url = new URL(databaseUrl());
const where = `${url.hostname}:${url.port || 5432}`;

// Column types which the native engine reads and this adapter does not know:
// name, name[], void, unknown, interval -> text (text[]).
const OIDS = { 19: 25, 1003: 1009, 2278: 25, 705: 25, 1186: 25 };
pg.types.setTypeParser(1003, pg.types.getTypeParser(1009));
pg.types.setTypeParser(1186, (v) => v);
function known(result) {
  for (const f of (result && result.fields) || []) f.dataTypeID = OIDS[f.dataTypeID] || f.dataTypeID;
  return result;
}
class Client extends pg.Client {
  query(...args) {
    const cb = args[args.length - 1];
    if (typeof cb === 'function') args[args.length - 1] = (e, r) => cb(e, known(r));
    const p = super.query(...args);
    return p && typeof p.then === 'function' ? p.then(known) : p;
  }
}
const pool = new pg.Pool({
  Client,
  host: url.hostname,
  port: Number(url.port || 5432),
  user: decodeURIComponent(url.username),
  password: decodeURIComponent(url.password) || undefined,
  database: url.pathname.slice(1),
  max: Number(url.searchParams.get('connection_limit') || 10),
  connectionTimeoutMillis: 5000,
});
let lastPoolError = '';
pool.on('error', (e) => { lastPoolError = String(e && e.message); });
const adapter = bindAdapter(new PrismaPg(pool));

function unreachable(text) {
  return {
    error: text,
    user_facing_error: {
      is_panic: false,
      message: `Can't reach database server at \`${where}\`\n\nPlease make sure your database server is running at \`${where}\`.`,
      meta: { database_host: url.hostname, database_port: Number(url.port || 5432) },
      error_code: 'P1001',
    },
  };
}
const DOWN = /ECONNREFUSED|ECONNRESET|EPIPE|Connection terminated|terminating connection|timeout exceeded when trying to connect|the database system is (shutting down|starting up)/;

function mapErrors(errors) {
  return errors.map((e) => {
    const u = e.user_facing_error || {};
    // P2036: the driver threw; its own error is in the adapter's registry.
    const id = u.error_code === 'P2036' && u.meta ? u.meta.id
      : (/Error in external connector \(id (\d+)\)/.exec(u.message || e.error || '') || [])[1];
    if (id !== undefined && adapter.errorRegistry) {
      const rec = adapter.errorRegistry.consumeError(Number(id));
      const err = rec && rec.error;
      const text = String((err && (err.message || err.code)) || err);
      const all = `${text} ${err && err.code} ${(err && err.errors || []).map((x) => x.message).join(' ')}`;
      if (DOWN.test(all)) return unreachable(all);
      return { error: text, user_facing_error: { is_panic: false, message: text, meta: {}, error_code: 'P2010' } };
    }
    if (DOWN.test(JSON.stringify(e))) return unreachable(JSON.stringify(e));
    return e;
  });
}

// In raw results the native engine gives JSON columns as values, not as text.
function raw(r) {
  if (!r || !Array.isArray(r.types) || !Array.isArray(r.rows)) return r;
  const parse = (v) => (typeof v === 'string' ? JSON.parse(v) : v);
  r.types.forEach((t, c) => {
    if (t === 'json') r.rows.forEach((row) => { row[c] = parse(row[c]); });
    if (t === 'json-array') r.rows.forEach((row) => { if (row[c]) row[c] = row[c].map(parse); });
  });
  return r;
}

function finish(answer, g) {
  if (answer.errors && answer.errors.length) return { errors: mapErrors(answer.errors) };
  const data = answer.data || {};
  const v = plain(data[Object.keys(data)[0]]);
  return { data: { [g.alias]: g.field === 'queryRaw' ? raw(v) : v } };
}

async function main() {
  try {
    await pool.query('SELECT 1');
  } catch (e) {
    process.stderr.write(JSON.stringify(unreachable(String(e)).user_facing_error) + '\n');
    process.exit(1);
  }
  const engine = new wasmJs.QueryEngine({
    datamodel, logLevel: 'error', logQueries: false, datasourceOverrides: {}, env: process.env,
    configDir: '.', engineProtocol: 'json', ignoreEnvVarErrors: true,
  }, () => {}, adapter);
  await engine.connect('{}');

  const server = http.createServer((rq, rs) => {
    const chunks = [];
    rq.on('data', (c) => chunks.push(c));
    rq.on('end', async () => {
      const send = (o, status = 200) => {
        const b = Buffer.from(JSON.stringify(o));
        rs.writeHead(status, { 'content-type': 'application/json', 'content-length': b.length });
        rs.end(b);
      };
      try {
        if (rq.url === '/status') return send({ status: 'ok' });
        if (rq.url.startsWith('/metrics')) return send({ counters: [], gauges: [], histograms: [] });
        const text = Buffer.concat(chunks).toString();
        const tx = /^\/transaction\/(?:([^/]+)\/)?(start|commit|rollback)$/.exec(rq.url);
        if (tx) {
          const out = tx[2] === 'start' ? await engine.startTransaction(text || '{}', '{}')
            : await engine[tx[2] + 'Transaction'](tx[1], '{}');
          const r = JSON.parse(out);
          if (r.error_code) return send({ errors: mapErrors([{ error: r.message, user_facing_error: r }]) });
          return send(r);
        }
        const body = JSON.parse(text);
        const txId = rq.headers['x-transaction-id'];
        if (body.batch) {
          const gs = body.batch.map((q) => parseGraphQL(q.query));
          const out = await engine.query(JSON.stringify({
            batch: gs.map(toJson), transaction: body.transaction ? {} : null }), '{}', txId);
          const r = JSON.parse(out);
          if (r.errors && r.errors.length) return send({ errors: mapErrors(r.errors) });
          return send({ batchResult: r.batchResult.map((x, n) => finish(x, gs[n])) });
        }
        const g = parseGraphQL(body.query);
        const out = await engine.query(JSON.stringify(toJson(g)), '{}', txId);
        send(finish(JSON.parse(out), g));
      } catch (e) {
        const t = String((e && e.stack) || e);
        if (process.env.LAB_ENGINE_LOG) fs.appendFileSync(process.env.LAB_ENGINE_LOG, t + '\n');
        if (DOWN.test(t)) return send({ errors: [unreachable(t)] });
        if (/external connector/.test(t)) return send({ errors: mapErrors([{ error: t }]) });
        send({ errors: [{ error: t, user_facing_error: { is_panic: false, message: t, meta: {}, error_code: 'P2010' } }] });
      }
    });
  });
  // As the native engine does, wait quietly for the signal that ends us.
  const end = () => { server.close(); process.exit(0); };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  // and never outlive the proxy that started us
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) process.exit(0); }, 2000).unref();
  server.keepAliveTimeout = 120000;
  server.listen(port, 'localhost');
  // (localhost may be ::1 for Node and 127.0.0.1 for Python: listen on both)
  const other = http.createServer((a, b) => server.emit('request', a, b));
  other.keepAliveTimeout = 120000;
  server.on('listening', () => {
    const fam = server.address().address;
    other.on('error', () => {});
    other.listen(port, fam === '::1' ? '127.0.0.1' : '::1');
  });
}
main();
