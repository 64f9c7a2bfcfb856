/**
 * `npm run plan`: what the declaration asks of the database and what it means for the documents in it, and nothing done.
 * `npm run apply` does what is asked. The database is the MongoDB that `MONGODB_URI` names, else the embedded SQLite. With
 * `--full` every document is read; with `--remove NAME`, what was added to the collection of that name, and
 * `npm run apply -- --remove NAME` takes it out (removing.ts); with `--remove-all`, everything of Tombolo's (removing-all.ts).
 */
import { parseArgs } from 'node:util';
import type { Resource } from '../../shared/contract/resource.ts';
import { DeclarationError } from '../../shared/checks/mistakes.ts';
import { mustBeSound } from '../../shared/checks/sound.ts';
import { served } from '../../shared/resources/all.ts';
import { givenOrExit, placesOf } from '../given.ts';
import type { Examination } from '../store/examination/examination.ts';
import type { Target } from '../store/mongo/install/install.ts';
import { mongoPlanner } from '../store/mongo/planner.ts';
import { withTarget } from '../store/mongo/planning.ts';
import { StoreNotReady } from '../store/not-ready.ts';
import type { PlannedStep, Planner } from '../store/planned.ts';
import type { SharedKeys } from '../store/shared-keys.ts';
import { withFile } from '../store/sqlite/planner.ts';
import { storedForTeam } from '../stored-for-team.ts';
import { exitConfiguration, exitUsage } from '../exit-codes.ts';
import { answerHelp, whyWrong } from '../usage.ts';
import { toExaminationText, toFilledText, toSharedText, toStepText } from './plan-text.ts';
import { removing, removingFilled } from './removing.ts';
import { removingAll } from './removing-all.ts';

answerHelp(`npm run plan -- [options], which changes nothing, or npm run apply -- [options]
  --full         reads every document
  --json         for programs
  --remove NAME  what was added to the collection of that name, or of the resource of that name
  --remove-all   all of Tombolo; --with-data: its own collections as well`);

const asked = parsed();

const say = (line: string | undefined): void => void (line === undefined || process.stdout.write(`${line}\n`));

function parsed() {
  try {
    const flag = { type: 'boolean', default: false } as const;
    const options = { apply: flag, json: flag, full: flag, remove: { type: 'string' }, 'remove-all': flag, 'with-data': flag } as const;
    const { values } = parseArgs({ options });
    if (values['with-data'] && !values['remove-all']) throw new Error('--with-data stands beside --remove-all alone');
    if (values.remove !== undefined && values['remove-all']) throw new Error('--remove NAME and --remove-all are two things');
    return values;
  } catch (cause) {
    const options = 'after plan or apply may stand: -- --json, -- --full, -- --remove NAME, -- --remove-all';
    process.stderr.write(`tombolo plan: ${whyWrong(cause)}; ${options}. Nothing was done\n`);
    return process.exit(exitUsage);
  }
}

/** Records of Tombolo's own hold what it wrote there. */
const examined: readonly Resource[] = served.stored.filter(({ internal }) => !internal);

async function answer(planner: Planner): Promise<void> {
  if (asked.apply) await apply(planner);
  const documents = await examineAll(planner);
  const steps = [...(await planner.steps()), ...(await Promise.all(documents.map((each) => defaultStepsOf(planner, each)))).flat()];
  const sharedKeys = await sharedKeysOf(planner);
  if (asked.json) return say(JSON.stringify({ steps, documents, sharedKeys }, undefined, 2));
  for (const examination of documents) say(toExaminationText(examination));
  for (const each of sharedKeys) say(toSharedText(each));
  for (const [index, step] of steps.entries()) say(toStepText(step, index + 1));
  say(await toAdvice(planner, steps));
}

async function apply(planner: Planner): Promise<void> {
  const tell = asked.json ? () => undefined : say;
  // A step that the server refuses keeps no document from its defaults.
  const [applied] = await Promise.allSettled([planner.apply(tell)]);
  const [filled] = await Promise.allSettled([fill(planner, tell)]);
  for (const each of [applied, filled]) if (each.status === 'rejected') throw each.reason;
}

async function fill(planner: Planner, tell: (line: string) => void): Promise<void> {
  for (const resource of examined) {
    const filled = await planner.fill(resource);
    if (filled !== undefined && filled.documents + filled.refused.count > 0) tell(toFilledText(filled));
  }
}

/** One after the other: a plan is in no haste, and the database serves others. */
async function examineAll(planner: Planner): Promise<readonly Examination[]> {
  const documents: Examination[] = [];
  for (const resource of examined) {
    const examination = await planner.examine(resource, asked.full);
    if (examination !== undefined && examination.documents > 0) documents.push(examination);
  }
  return documents;
}

/** Keys that are anybody's, and those of which it is not known. */
async function sharedKeysOf(planner: Planner): Promise<readonly SharedKeys[]> {
  const found: SharedKeys[] = [];
  for (const resource of examined) found.push(...(await planner.sharedKeys(resource, asked.full)));
  return found.filter(({ shared }) => shared?.keys !== 0);
}

async function defaultStepsOf(planner: Planner, examination: Examination) {
  const resource = examined.find(({ name }) => name === examination.resource);
  return resource === undefined ? [] : planner.defaultSteps(resource, examination);
}

async function toAdvice({ place, isNoted }: Planner, steps: readonly PlannedStep[]): Promise<string> {
  const [count, how] = [steps.length, 'npm run apply does them, one at a time, and may be stopped and begun again'];
  if (count > 0) return `steps: ${count}${toOwners(steps)}; ${how}`;
  const has = `${place} has all that the declaration asks for`;
  if (await isNoted()) return has;
  return `${has}, made by hand; run npm run apply all the same: it notes whose each collection is, and only then is anything written`;
}

/** How many of the steps are about collections that are served, which may be others': the rest makes what Tombolo keeps beside them. */
function toOwners(steps: readonly PlannedStep[]): string {
  const names = new Set(examined.map(({ collection }) => collection));
  const about = steps.filter(({ collection }) => names.has(collection)).map(({ collection }) => collection);
  const ofOthers = about.length === 0 ? '' : `${about.length} on ${[...new Set(about)].join(', ')}, `;
  return ` (${ofOthers}${steps.length - about.length} on Tombolo's own small collections)`;
}

/** The table of this name, or of the resource of this name. */
function tableNamed(given: string): string {
  return examined.find(({ name }) => name === given)?.collection ?? given;
}

async function run(): Promise<void> {
  const { uri, dataDir } = placesOf(givenOrExit('tombolo plan'));
  if (uri !== '') return withTarget({ uri, resources: storedForTeam, isWritten: asked.apply }, ofMongo);
  if (asked['remove-all']) return say('MONGODB_URI is not set: the embedded SQLite is Tombolo\'s own, and goes with its file');
  const { remove: name, json: isJson, apply: isApplied } = asked;
  const remove = (planner: Planner) => removingFilled(planner, { name: tableNamed(name ?? ''), isJson, isApplied }, say);
  const use = name === undefined ? answer : remove;
  if (!(await withFile({ dataDir, isWritten: isApplied }, use))) {
    say('MONGODB_URI is not set, and the embedded SQLite is not made yet');
  }
}

async function ofMongo(target: Target): Promise<void> {
  const { json: isJson, apply: isApplied, remove: removed, 'remove-all': isWhole, 'with-data': withData } = asked;
  if (removed !== undefined) await removing(target, { name: removed, isJson, isApplied }, say);
  else if (isWhole) await removingAll(target, { isJson, isApplied, withData }, say);
  else await answer(mongoPlanner(target));
}

try {
  mustBeSound(served);
  await run();
} catch (cause) {
  if (!(cause instanceof StoreNotReady) && !(cause instanceof DeclarationError)) throw cause;
  process.stderr.write(`tombolo plan: ${cause.message}\n`);
  process.exit(exitConfiguration);
}
