// $changeStream: reads its options, finds its start, refuses what it cannot stand on.
import { compileStages } from '../aggregate/stages.ts';
import { type Context, flag } from '../commands/command.ts';
import { cursorReply, type CursorOptions } from '../commands/reply.ts';
import { pipelineContext } from '../commands/aggregate.ts';
import { viewPipeline } from '../commands/views.ts';
import { Timestamp } from 'bson';
import { fail } from '../errors.ts';
import { fromTimestamp } from '../replica/cluster-time.ts';
import { type Doc, isDoc } from '../values/types.ts';
import { eventsOf, type Scope } from './events.ts';
import type { ImageModes } from './images.ts';
import { ChangeStream } from './stream.ts';
import { isSamePlace, markAt, parseToken, type Token } from './token.ts';

const STAGES = new Set(['$match', '$project', '$addFields', '$set', '$unset', '$replaceRoot', '$replaceWith', '$redact', '$changeStreamSplitLargeEvent']);
const OPTIONS = new Set(['fullDocument', 'fullDocumentBeforeChange', 'resumeAfter', 'startAfter', 'startAtOperationTime', 'showExpandedEvents', 'allChangesForCluster', 'showSystemEvents']);

export async function openChangeStream(context: Context, name: string | null, pipeline: Doc[], options: CursorOptions): Promise<Doc> {
  const { member, server, body } = context;
  if (!server.isReplicaSet) throw fail(40573, 'The $changeStream stage is only supported on replica sets');
  if (context.transaction) throw fail('OperationNotSupportedInTransaction', '$changeStream cannot be used in a transaction');
  const level = (body['readConcern'] as Doc | undefined)?.['level'];
  if (level !== undefined && level !== 'majority') throw fail('InvalidOptions', `Cannot use a readConcern of '${String(level)}' with $changeStream; only 'majority' is supported`);
  const spec = (pipeline[0] as Doc)['$changeStream'];
  if (!isDoc(spec)) throw fail(50808, '$changeStream stage expects a document as argument');
  const refused = Object.keys(spec).find(option => !OPTIONS.has(option));
  if (refused) throw fail(40415, `BSON field '$changeStream.${refused}' is an unknown field.`);
  const scope = scopeOf(context, name, spec);
  const rest = pipeline.slice(1);
  const splits = checkStages(rest);
  const stages = compileStages(splits ? rest.slice(0, -1) : rest, pipelineContext(context, {}));
  const after = startOf(context, scope, spec);
  const stream = new ChangeStream(member, { scope, stages, splits, after, expanded: flag(spec, 'showExpandedEvents'), modes: modesOf(spec) });
  return cursorReply(context, stream, { ...options, waits: true });
}

function scopeOf(context: Context, name: string | null, spec: Doc): Scope {
  if (flag(spec, 'allChangesForCluster')) {
    if (context.db !== 'admin' || name !== null) throw fail('InvalidOptions', "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name");
    return { db: null, collection: null };
  }
  if (['admin', 'config', 'local'].includes(context.db)) throw fail('InvalidNamespace', `$changeStream may not be opened on the internal ${context.db} database`);
  if (name?.startsWith('system.')) throw fail('InvalidNamespace', `$changeStream may not be opened on the internal ${context.db}.${name} collection`);
  if (name !== null && viewPipeline(context, name)) throw fail('CommandNotSupportedOnView', `Namespace ${context.db}.${name} is a view, not a collection`);
  return { db: context.db, collection: name };
}

function checkStages(stages: Doc[]): boolean {
  let splits = false;
  stages.forEach((stage, i) => {
    const name = Object.keys(stage)[0] as string;
    if (!STAGES.has(name)) {
      if (name.startsWith('$') && KNOWN.has(name)) throw fail('IllegalOperation', `${name} is not permitted in a $changeStream pipeline`);
      throw fail(40324, `Unrecognized pipeline stage name: '${name}'`);
    }
    if (name !== '$changeStreamSplitLargeEvent') return;
    if (i !== stages.length - 1) throw fail(7182802, '$changeStreamSplitLargeEvent must be the last stage in the pipeline');
    splits = true;
  });
  return splits;
}

const KNOWN = new Set(['$group', '$sort', '$limit', '$skip', '$lookup', '$out', '$merge', '$facet', '$unwind', '$count', '$sample', '$bucket', '$bucketAuto', '$sortByCount', '$graphLookup', '$unionWith', '$geoNear', '$collStats', '$indexStats']);

function modesOf(spec: Doc): ImageModes {
  const after = spec['fullDocument'] ?? 'default';
  const before = spec['fullDocumentBeforeChange'] ?? 'off';
  if (!['default', 'updateLookup', 'whenAvailable', 'required'].includes(String(after))) throw fail('BadValue', `Enumeration value '${String(after)}' for field '$changeStream.fullDocument' is not a valid value.`);
  if (!['off', 'whenAvailable', 'required'].includes(String(before))) throw fail('BadValue', `Enumeration value '${String(before)}' for field '$changeStream.fullDocumentBeforeChange' is not a valid value.`);
  return { after: after as ImageModes['after'], before: before as ImageModes['before'] };
}

function startOf(context: Context, scope: Scope, spec: Doc): Token {
  const { member } = context;
  const given = ['resumeAfter', 'startAfter', 'startAtOperationTime'].filter(name => spec[name] !== undefined);
  if (given.length > 1) throw fail(40674, 'Only one type of resume option is allowed, but multiple were found.');
  if (given.length === 0) return markAt(member.lastAt);
  if (given[0] === 'startAtOperationTime') {
    const time = spec['startAtOperationTime'];
    if (!(time instanceof Timestamp)) throw fail('TypeMismatch', "BSON field '$changeStream.startAtOperationTime' is the wrong type, expected type 'timestamp'");
    return reachable(context, markAt(fromTimestamp(time) - 1));
  }
  const token = parseToken(spec[given[0] as string]);
  if (token.kind === 'invalidate' && given[0] === 'resumeAfter') throw fail('InvalidResumeToken', "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.");
  reachable(context, token);
  if (token.kind === 'mark') return token;
  const entry = member.oplog.find(token.at);
  const found = entry && eventsOf(entry, scope, true).some(event => isSamePlace(event.token, token));
  if (!found) throw fail('ChangeStreamFatalError', `cannot resume stream; the resume token was not found. ${JSON.stringify(spec[given[0] as string])}`);
  return token;
}

function reachable({ member }: Context, token: Token): Token {
  const gone = member.oplog.truncatedAt;
  if (gone > 0 && token.at < gone) throw fail('ChangeStreamHistoryLost', 'Executor error during aggregate command :: caused by :: Resume of change stream was not possible, as the resume point may no longer be in the oplog.');
  return token;
}
