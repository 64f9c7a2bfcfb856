import type { Requirement, Suite, TestCase } from './schema.ts';

/**
 * The one list of tests that say nothing about this server, each with its reason. A test that the server simply
 * gets wrong is never here.
 */
type Entry = {
  /** The file's name without its ending. */
  readonly file?: RegExp;
  /** The test's description. */
  readonly test?: RegExp;
  /** An operation that the test calls. */
  readonly operation?: RegExp;
  readonly reason: string;
};

/** What no part of the server is meant to do. */
const refused: readonly Entry[] = [
  { operation: /^(create|update|drop|list)SearchIndex(es)?$/, reason: 'search indexes are a hosted service beside the server' },
];

/** What the Node driver does differently from the specification, by its own tracker's numbers. */
const driver: readonly Entry[] = [
  { file: /^bypassDocumentValidation$/, test: /^(Aggregate with \$out|BulkWrite|FindOneAndReplace|FindOneAndUpdate|InsertMany) .*: false$/, reason: 'the driver never sends bypassDocumentValidation: false (NODE-6484)' },
  { file: /^snapshot-sessions$/, test: /snapshot ?time/i, reason: 'the driver has no session option snapshotTime' },
  { file: /^bulkWrite$/, test: /^First insertOne is never committed$/, reason: 'the driver names the id of an insert that failed without a write error' },
];

const entries = [...refused, ...driver];

export function notApplicableReason(fileName: string, suite: Suite, test: TestCase): string | undefined {
  if (test.skipReason !== undefined) return `the suite itself skips it: ${test.skipReason}`;
  return entries.find(entry => applies(entry, { fileName, test }))?.reason ?? topologyReason(suite.runOnRequirements) ?? topologyReason(test.runOnRequirements);
}

function applies({ file, test, operation }: Entry, subject: { readonly fileName: string; readonly test: TestCase }): boolean {
  if (file !== undefined && !file.test(subject.fileName)) return false;
  if (test !== undefined && !test.test(subject.test.description)) return false;
  return operation === undefined || subject.test.operations.some(({ name }) => operation.test(name));
}

/** Said before the server is asked, so that the reason reads the same against every deployment. */
function topologyReason(requirements: readonly Requirement[] = []): string | undefined {
  const foreign = ({ topologies = [] }: Requirement) => topologies.length > 0 && topologies.every(name => name.startsWith('sharded') || name === 'load-balanced');
  return requirements.length > 0 && requirements.every(foreign) ? 'only for a sharded or load-balanced cluster' : undefined;
}
