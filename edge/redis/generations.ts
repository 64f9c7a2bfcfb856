/**
 * Generations in Redis: what `coordinator/` does, as two scripts, each one step among all edges. Keys:
 *
 *   tombolo:generations                    a hash: instance, revision, epoch, through, floor, asOf, last and heard contracts; of
 *                                          each resource its floor (`f:films`) and the number of its buckets (`n:films`)
 *   tombolo:generations:order:films        a hash: the position of each bucket
 *   tombolo:generations:revision:films     a sorted set: the revision at which each bucket was raised last
 *   tombolo:generations:declared[:digest]  contracts whose resources are known, and these
 *   tombolo:generations:nonce:…            reports that came, and …:retired:… epochs that were left, until they expire
 *
 * Redis may lose what it acknowledged: all of it, single keys, or the last second. None of it makes an old answer look fresh:
 * - all: another instance begins, which joins no report, and the origin raises everything;
 * - the keys of a resource: their number is not the one noted, and the whole resource counts as raised up to `through`;
 * - the last second: the moment up to which `through` is complete goes back with it, reports do not join and come again, and a
 *   revision is never given twice, since it is also a time; whoever has heard of a later one is told that nothing is known.
 */
import type { Changes, Heard, ReportOutcome, SignedReport } from '../coordinator/changes.ts';
import { contractsKnownMax, reporterGoneMs } from '../coordinator/declarations.ts';
import { retiredMs } from '../coordinator/generations-table.ts';
import { edgeLimits } from '../limits.ts';
import { clockOfRedis, type Redis } from './redis.ts';

const key = 'tombolo:generations';

const shared = `${clockOfRedis}
local name = KEYS[1]
local function get(field) return redis.call('HGET', name, field) or nil end
local function set(field, value) redis.call('HSET', name, field, value) end
redis.call('HSETNX', name, 'instance', ARGV[1])
local epoch, through, floor = get('epoch'), get('through') or '', get('floor') or ''
local revision = tonumber(get('revision') or 0)
local function keysOf(resource)
  local orders, revisions = name .. ':order:' .. resource, name .. ':revision:' .. resource
  local noted = tonumber(get('n:' .. resource) or 0)
  if redis.call('HLEN', orders) ~= noted or redis.call('ZCARD', revisions) ~= noted then
    redis.call('DEL', orders, revisions)
    if noted > 0 then
      set('n:' .. resource, 0)
      set('f:' .. resource, through)
    end
  end
  return orders, revisions
end
local function fixed(number) return string.format('%.0f', number) end
`;

/** Arguments: an instance to be, where there is none; the report; its nonce, and the milliseconds for which it counts. */
const reportScript = `${shared}
local report = cjson.decode(ARGV[2])
if not redis.call('SET', name .. ':nonce:' .. ARGV[3], 1, 'NX', 'PX', ARGV[4]) then return 'replayed' end

local knows = false
if report.contract then
  local heard = cjson.decode(get('heard') or '{}')
  for contract, at in pairs(heard) do if now - at > ${reporterGoneMs} then heard[contract] = nil end end
  heard[report.contract] = now
  set('heard', cjson.encode(heard))
  set('last', report.contract)
  local known = name .. ':declared'
  local declared = known .. ':' .. report.contract
  knows = redis.call('EXISTS', declared) == 1
  if report.resources and not knows then
    for resource, digest in pairs(report.resources) do redis.call('HSET', declared, resource, digest) end
    knows = redis.call('EXISTS', declared) == 1
    redis.call('RPUSH', known, report.contract)
    if redis.call('LLEN', known) > ${contractsKnownMax} then redis.call('DEL', known .. ':' .. redis.call('LPOP', known)) end
  end
end

local begins, anew = report.epoch ~= epoch, report.from == cjson.null
local accepted
if begins then accepted = anew and redis.call('EXISTS', name .. ':retired:' .. report.epoch) == 0
else accepted = #report.through == #through and (anew or report.from <= through) end
if accepted then
  local isMore = begins or anew or report.through > through
  if begins then
    if epoch then redis.call('SET', name .. ':retired:' .. epoch, 1, 'PX', ${retiredMs}) end
    for _, field in ipairs(redis.call('HKEYS', name)) do if field:match('^[nf]:') then redis.call('HDEL', name, field) end end
    epoch, through, floor = report.epoch, report.through, report.through
    set('epoch', epoch)
  elseif anew and report.through > floor then floor = report.through end
  local next = math.max(revision + 1, micros)
  for resource, order in pairs(report.whole) do
    isMore = true
    if order > (get('f:' .. resource) or '') then set('f:' .. resource, order) end
  end
  for resource, buckets in pairs(report.raised) do
    isMore = true
    local orders, revisions = keysOf(resource)
    for bucket, order in pairs(buckets) do
      if order > (redis.call('HGET', orders, bucket) or '') then
        redis.call('HSET', orders, bucket, order)
        redis.call('ZADD', revisions, fixed(next), bucket)
      end
    end
    set('n:' .. resource, redis.call('HLEN', orders))
  end
  if report.through > through then through = report.through end
  if isMore then redis.call('HSET', name, 'revision', fixed(next), 'through', through, 'floor', floor) end
  local asOf = not anew and tonumber(get('asOf') or '') or nil
  if asOf and asOf > now then asOf = nil end
  if report.asOf ~= cjson.null then asOf = math.max(asOf or 0, math.min(report.asOf, now)) end
  if asOf then set('asOf', fixed(asOf)) else redis.call('HDEL', name, 'asOf') end
end
return cjson.encode({
  accepted = accepted, epoch = epoch or cjson.null, through = epoch and through or cjson.null, now = now, knowsContract = knows,
})
`;

/**
 * Arguments: an instance to be, where there is none; the resource; the instance, revision and epoch that were heard, or empty
 * texts. Gives `Changes` with the buckets by their names, and the resource's digest by contract, empty where it is not known.
 */
const changesScript = `${shared}
local orders, revisions = keysOf(ARGV[2])
local own, instance = get('f:' .. ARGV[2]) or '', get('instance')
if own > floor then floor = own end
local continues = ARGV[3] == instance and ARGV[5] == epoch
local asOf = tonumber(get('asOf') or '')
local age = asOf and asOf <= now and now - asOf
if ARGV[3] == instance and tonumber(ARGV[4]) > revision then age = nil end
local buckets, digests = {}, {}
for _, bucket in ipairs(redis.call('ZRANGEBYSCORE', revisions, continues and '(' .. ARGV[4] or '-inf', '+inf')) do
  local order = redis.call('HGET', orders, bucket)
  if order > floor then buckets[bucket] = order end
end
local function tell(contract) digests[contract] = redis.call('HGET', name .. ':declared:' .. contract, ARGV[2]) or '' end
for contract, at in pairs(cjson.decode(get('heard') or '{}')) do if now - at <= ${reporterGoneMs} then tell(contract) end end
if not next(digests) and get('last') then tell(get('last')) end
return cjson.encode({
  epoch = epoch or cjson.null, instance = instance, revision = fixed(revision), through = through, floor = floor,
  ageMs = age or cjson.null, whole = not continues, buckets = buckets, digests = digests,
})
`;

export async function reportToRedis(redis: Redis, { report, nonce, expiresAt }: SignedReport): Promise<ReportOutcome> {
  const ms = Math.max(1, Math.ceil(expiresAt - Date.now()));
  const told = String(await redis.run(reportScript, key, crypto.randomUUID(), toBounded(report), nonce, String(ms)));
  return told === 'replayed' ? told : (JSON.parse(told) as ReportOutcome);
}

/** Upstash takes a request of a megabyte. A longer report raises its resources whole, which is more than it says. */
function toBounded(report: SignedReport['report']): string {
  const text = JSON.stringify(report);
  if (text.length <= edgeLimits.redisReportCharactersMax) return text;
  const raised = Object.keys(report.raised).map((resource) => [resource, report.through] as const);
  return JSON.stringify({ ...report, raised: {}, whole: { ...report.whole, ...Object.fromEntries(raised) } });
}

interface Told extends Omit<Changes, 'revision' | 'buckets' | 'contracts' | 'digests'> {
  readonly revision: string;
  readonly buckets: Readonly<Record<string, string>>;
  readonly digests: Readonly<Record<string, string>>;
}

export async function changesInRedis(redis: Redis, resource: string, heard: Heard | undefined): Promise<Changes> {
  const { instance = '', revision = 0, epoch = '' } = heard ?? {};
  const told = await redis.run(changesScript, key, crypto.randomUUID(), resource, instance, String(revision), epoch);
  const changes = JSON.parse(String(told)) as Told;
  return {
    ...changes, revision: Number(changes.revision), contracts: Object.keys(changes.digests),
    buckets: Object.entries(changes.buckets).map(([bucket, order]) => ({ bucket: Number(bucket), order })),
    digests: Object.fromEntries(Object.entries(changes.digests).filter(([, digest]) => digest !== '')),
  };
}
