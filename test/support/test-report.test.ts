import { expect, test } from 'bun:test';
import { addCounts, noTests, parseTestReport, toCountsLine, toSlowestLine } from './test-report.ts';

const report = `<?xml version="1.0"?><testsuites><testsuite name="a.test.ts" file="a.test.ts">
  <testcase name="passes one &amp; two" classname="" time="0.1" file="a.test.ts" line="2" assertions="0" />
  <testcase name="reads &lt;all&gt; (needs Java)" classname="" file="a.test.ts"><skipped /></testcase>
  <testsuite name="group"><testcase name="fails" classname="group" file="a.test.ts">
    <failure type="AssertionError" message="1 &gt; 2">at a.test.ts:4</failure></testcase>
    <testcase name="later" classname="group" file="b.test.ts"><skipped message="TODO" /></testcase>
  </testsuite></testsuite></testsuites>`;

test('counts passed, failed and skipped tests, a todo among the skipped', () => {
  const counts = parseTestReport(report);
  expect([counts.passed, counts.failed.length, counts.skipped.length]).toEqual([1, 1, 2]);
  expect([...counts.files]).toEqual([['a.test.ts', 0.1], ['b.test.ts', 0]]);
});

test('names what failed and what was skipped, with the group and unescaped', () => {
  expect(parseTestReport(report).failed).toEqual([{ file: 'a.test.ts', title: 'group > fails' }]);
  expect(parseTestReport(report).skipped.map(({ title }) => title)).toEqual(['reads <all> (needs Java)', 'group > later']);
});

test('says skipped only when something was', () => {
  expect(toCountsLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
  expect(toCountsLine({ passed: 3, failed: 1, skipped: 2 })).toBe('3 passed, 1 failed, 2 skipped');
});

test('says where the time goes, the longest first', () => {
  const files = new Map([['test/a.test.ts', 14.9], ['test/b.test.ts', 15.4], ['test/c.test.ts', 60]]);
  expect(toSlowestLine({ files })).toBe('slowest: c.test.ts 60 s, b.test.ts 15 s');
  expect(toSlowestLine({ files: new Map() })).toBe('slowest: none');
});

test('adds the counts of several runs', () => {
  const twice = addCounts(addCounts(noTests, parseTestReport(report)), parseTestReport(report));
  expect([twice.passed, twice.failed.length, twice.skipped.length, twice.files.size]).toEqual([2, 2, 4, 2]);
});
