/** What a consumer keeps in an internal resource is stored and survives, and nobody outside hears of it. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { Consumer } from '../../../origin/feed/consumer.ts';
import { runPurge } from '../../../origin/purge/purge.ts';
import { contract } from '../../../shared/contract/contract.ts';
import type { Report, ReportAnswer } from '../../../shared/hop/purge-report.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { eventually } from '../../support/eventually.ts';
import { Pipeline } from '../../support/pipeline.ts';

const named = { id: { kind: 'string', format: z.string() }, shapes: { all: {} } } as const;
const notes = resource({ ...named, name: 'notes', schema: z.object({ text: z.string() }), rules: { read: anyone, write: anyone } });
const summaries = resource({ ...named, name: 'summaries', schema: z.object({ words: z.int() }), rules: { read: anyone } });
const runs = resource({ ...named, name: 'tombolo_test_runs', internal: true, schema: z.object({ times: z.int() }) });

/** A consumer that makes a summary of each new note, with how often it was made, in the same transaction. */
const summarizing: Consumer = {
  name: 'summarizing',
  handle: (changes) => changes.flatMap((change) => (change.kind !== 'document' || change.resource !== notes.name ? [] : [{
    resource: summaries, id: change.id, decide: () => ({
      kind: 'put' as const, document: { words: String(change.after?.['text']).split(' ').length },
      also: [
        {
          resource: runs,
          id: change.id,
          decide: (before) => ({ kind: 'put' as const, document: { times: Number(before?.value['times'] ?? 0) + 1 } }),
        },
      ],
    }),
  }])),
  lost: () => [],
};

describe.each(['sqlite', 'mongodb'] as const)('an internal resource on %s', (engine) => {
  let origin: Pipeline;
  beforeEach(async () => {
    origin = await Pipeline.on(engine, contract(notes, summaries, runs), { consumers: [summarizing] });
  });
  afterEach(() => origin[Symbol.asyncDispose]());
  const create = async (id: string) =>
    expect((await origin.ask('/v1/notes', { method: 'POST', body: JSON.stringify({ id, text: 'two words' }) })).status).toBe(201);
  const ran = (id: string) => eventually(`the summary of ${id}`, () => origin.stored(runs, id));

  test('is written by what a public write causes, once, also after a restart', async () => {
    await create('a');
    expect([await ran('a'), (await origin.ask('/v1/summaries/a')).json['words']]).toEqual([{ id: 'a', times: 1 }, 2]);
    await origin.restart();
    await create('b');
    expect([await ran('b'), await origin.stored(runs, 'a')]).toEqual([{ id: 'b', times: 1 }, { id: 'a', times: 1 }]);
  });

  test('is not there for anybody who asks', async () => {
    await create('a');
    await ran('a');
    for (const path of ['', '/a', '/changes', '/import'])
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const { status, json } = await origin.ask(`/v1/tombolo_test_runs${path}`, {
          method,
          ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
        });
        expect([method, path, status, json['code']]).toEqual([method, path, 404, 'route_not_found']);
      }
    expect(await origin.stored(runs, 'a')).toEqual({ id: 'a', times: 1 });
  });

  test('is not reported to the edge, and what its cause changed is', async () => {
    const reports: Report[] = [];
    const stop = new AbortController();
    const send = async (report: Report): Promise<ReportAnswer> => (
      reports.push(report),
      { accepted: true, epoch: report.epoch, through: null, now: 0 }
    );
    const running = runPurge({ ...origin.context, signal: stop.signal, send, onTrouble: () => undefined });
    await eventually('the reports have begun', () => reports.length >= 2);
    await create('a');
    await ran('a');
    const names = () => [...new Set(reports.flatMap(({ raised, whole }) => [...Object.keys(raised), ...Object.keys(whole)]))].sort();
    const { position } = await origin.context.store.write(
      [{ resource: runs, id: 'alone', decide: () => ({ kind: 'put', document: { times: 1 } }) }],
      { deadline: Date.now() + 5_000 },
    );
    await eventually('everything is reported', () => reports.some(({ through }) => through >= position.order));
    stop.abort();
    await running;
    expect(names()).toEqual(['notes', 'summaries']);
    expect(Object.keys(reports[0]?.resources ?? {}).sort()).toEqual(['keys', 'notes', 'summaries']);
  });
});
