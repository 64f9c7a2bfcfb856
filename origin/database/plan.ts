/**
 * `npm run plan`: what the declaration asks of the MongoDB that `MONGODB_URI` names, and nothing done. `npm run apply` does
 * it. With `--remove NAME`, what was added to the collection of that name, and `npm run apply -- --remove NAME` takes it out;
 * with `--remove-all`, everything of Tombolo's (removing-all.ts).
 */
import { parseArgs } from 'node:util';
import { DeclarationError, mustBeSound } from '../../shared/contract/mistakes.ts';
import { served } from '../../shared/resources/all.ts';
import { StoreNotReady } from '../store/not-ready.ts';
import { applyPlan, isInstalled, type PlannedStep, planOf, remove, removalOf } from '../store/mongo/install/plan.ts';
import { toForeignIds } from '../store/mongo/install/foreign-ids.ts';
import type { Target } from '../store/mongo/install/install.ts';
import { withTarget } from '../store/mongo/planning.ts';
import { type BuildTime, buildTimeAssumption, toDuration } from '../store/mongo/install/build-time.ts';
import { toMongosh } from './mongosh.ts';
import { removingAll } from './removing-all.ts';

/** sysexits(3): the configuration is wrong. */
const exitConfiguration = 78;
/** sysexits(3): the command was used wrongly. */
const exitUsage = 64;

const asked = parsed();

const say = (line: string | undefined): void => void (line === undefined || process.stdout.write(`${line}\n`));

function parsed() {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const options = { apply: flag, json: flag, remove: { type: 'string' }, 'remove-all': flag, 'with-data': flag } as const;
    const { values } = parseArgs({ options });
    if (values['with-data'] && !values['remove-all']) throw new Error('--with-data stands beside --remove-all alone');
    if (values.remove !== undefined && values['remove-all']) throw new Error('--remove NAME and --remove-all are two things');
    return values;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    process.stderr.write(`tombolo plan: ${said}; after plan or apply may stand: -- --json, -- --remove NAME, -- --remove-all. ` +
      'Nothing was done\n');
    return process.exit(exitUsage);
  }
}

async function answer(target: Target): Promise<void> {
  if (asked.remove !== undefined) return removing(target, asked.remove);
  const { json: isJson, apply: isApplied, 'remove-all': isWhole, 'with-data': withData } = asked;
  if (isWhole) return removingAll(target, { isJson, isApplied, withData }, say);
  if (asked.apply) await applyPlan(target, randomEpoch(), ({ name }) => say(name));
  const steps = await planOf(target);
  if (asked.json) return say(JSON.stringify(steps, undefined, 2));
  for (const [index, step] of steps.entries()) say(toText(step, index + 1));
  for (const resource of target.resources) say(await toForeignIds(target.database, resource));
  say(await toAdvice(target, steps.length));
}

async function toAdvice(target: Target, count: number): Promise<string> {
  if (count > 0) return `steps: ${count}; npm run apply does them, one at a time, and may be stopped and begun again`;
  const has = `the database "${target.database.databaseName}" has all that the declaration asks for`;
  if (target.deployment === 'standalone' || (await isInstalled(target))) return has;
  return `${has}, made by hand; run npm run apply all the same: it notes whose each collection is, and only then is anything written`;
}

function randomEpoch(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
}

async function removing({ database }: Target, name: string): Promise<void> {
  const commands = await removalOf(database, name);
  if (asked.json) say(JSON.stringify(commands ?? [], undefined, 2));
  else if (commands === undefined) say(`nothing was added to ${name}`);
  else if (commands.length === 0) say(`of what was added to ${name} nothing is there any more`);
  else for (const command of commands) say(toMongosh(command));
  // The list keeps what was added to a collection that is away: it may come back.
  if (asked.apply && commands !== undefined && commands.length > 0) await remove(database, name, commands);
}

function toText(step: PlannedStep, number: number): string {
  const size = step.bytes === 0 ? '' : `, about ${Math.ceil(step.bytes / 1_048_576)} MB`;
  const cost = step.time === undefined ? 'reads no document' : `documents that are read: ${step.documents}${size}; ${toTime(step.time)}`;
  // What follows two slashes mongosh passes over.
  const loss = step.kind === 'collection' ? ' // with every document that is in it by then' : '';
  return [
    `${number}. ${step.name}${step.by === 'start' ? ' (the origin does it when it starts)' : ''}`,
    `   command  ${toMongosh(step.command)}`,
    `   why      ${step.why}`,
    `   others   ${step.effect}`,
    `   cost     ${cost}`,
    `   undo     ${step.undo === undefined ? 'with the collection' : `${toMongosh(step.undo)}${loss}`}`,
  ].join('\n');
}

function toTime({ secondsLeast, secondsMost }: BuildTime): string {
  return `${toDuration(secondsLeast)} to ${toDuration(secondsMost)}, ${buildTimeAssumption}`;
}

try {
  mustBeSound(served);
  const uri = process.env['MONGODB_URI'] ?? '';
  if (uri === '') say('MONGODB_URI is not set: the embedded SQLite is Tombolo\'s own, and nothing of it is to be planned');
  else await withTarget({ uri, resources: served.stored, isWritten: asked.apply }, answer);
} catch (cause) {
  if (!(cause instanceof StoreNotReady) && !(cause instanceof DeclarationError)) throw cause;
  process.stderr.write(`tombolo plan: ${cause.message}\n`);
  process.exit(exitConfiguration);
}
