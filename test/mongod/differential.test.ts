import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { toText } from './differential/answers.ts';
import { compare } from './differential/compare.ts';
import { secondOpinionAbsent, startSecondOpinion } from './differential/second-opinion.ts';
import { startTestServer } from './specs/start-server.ts';

/** The seed may be given, to look at other questions than every run asks. */
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? 1);

const questions = 10_000;

/** Ten thousand questions take some 20 s on a machine at rest, minutes on one that is not; the first run fetches the jars before. */
const [compareMsMax, startMsMax] = [300_000, 240_000];

const name = `answers ${questions} random questions as mongo-java-server does, its known errors apart`;
const absent = secondOpinionAbsent();

describe.skipIf(absent !== undefined)(`a second opinion${absent === undefined ? '' : ` (skipped: ${absent})`}`, () => {
  const servers: { readonly uri: string; close(): Promise<void> }[] = [];
  beforeAll(async () => void servers.push(await startTestServer({ members: 1 }), await startSecondOpinion()), startMsMax);
  afterAll(() => Promise.all(servers.map(server => server.close())));

  test(
    name,
    async () => {
      const [ours, theirs] = servers.map(({ uri }) => uri) as [string, string];
      const { unknown, refused, known } = await compare({ ours, theirs, seed, count: questions });

      console.log([...known].map(([reason, count]) => `${String(count).padStart(6)}  ${reason}`).join('\n'));
      expect(unknown.map(({ question }) => `seed ${question.seed}: ${toText(question.command)}`)).toEqual([]);
      expect(refused).toBeLessThan(questions / 5);
    },
    compareMsMax,
  );
});
