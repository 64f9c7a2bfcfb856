/** Reports to an edge that has the origin's newest key, or not yet. */
import { expect, test } from 'bun:test';
import type { Report } from '../../../shared/hop/purge-report.ts';
import { parseSignatureInput } from '../../../shared/hop/profile.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { sendReport } from '../../../origin/purge/send-report.ts';
import { testKeys } from '../../support/scripted-origin.ts';

const report: Report = { epoch: 'a'.repeat(16), from: null, through: '00000001', asOf: null, raised: {}, whole: {} };

test.each([
  [['k2', 'k1'], ['k2']],
  [['k1'], ['k2', 'k1']],
  [['k3'], ['k2', 'k1']],
] as const)('an edge that knows %p is asked with %p', async (known, expected) => {
  const asked: string[] = [];
  const edge = Bun.serve({
    port: 0, hostname: '127.0.0.1',
    fetch(request) {
      const id = parseSignatureInput(request.headers.get('signature-input') ?? '', 'tombolo-report')?.parameters.keyId ?? '';
      asked.push(id);
      return known.some((each) => each === id)
        ? Response.json({ accepted: true, epoch: report.epoch, through: report.through, now: 1 })
        : Response.json({ code: 'hop_invalid' }, { status: 401 });
    },
  });
  const sent = sendReport(`http://127.0.0.1:${edge.port}`, report, mustKeyRing(testKeys), new AbortController().signal);
  if (known.some((id) => id === 'k1' || id === 'k2')) expect((await sent).accepted).toBeTrue();
  else await expect(sent).rejects.toThrow('answered 401');
  expect(asked).toEqual([...expected]);
  await edge.stop(true);
});
