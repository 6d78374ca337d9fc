import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../src/evidence/html/write-report.js';
import type { Language, Report } from '../../src/evidence/index.js';
import { appendRecord } from '../../src/evidence/index.js';
import { showRecord } from '../../src/evidence/show-record.js';
import { draft, newEvidence, temporaryFolder } from '../support/evidence.js';
import { EVERYTHING, HOSTILE } from '../support/report.js';

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser.close();
});

interface Opened {
  readonly page: Page;
  /** Whatever the page asked for beside itself. */
  readonly requests: string[];
  readonly errors: string[];
}

async function open(report: Report, language: Language): Promise<Opened> {
  const file = join(temporaryFolder(), 'report.html');
  await writeReport(report, file, { language, zone: 'America/Toronto' });
  const page = await browser.newPage();
  const url = pathToFileURL(file).href;
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    if (request.url() !== url) requests.push(request.url());
  });
  page.on('console', (message) => errors.push(message.text()));
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url, { waitUntil: 'networkidle' });
  return { page, requests, errors };
}

/** Every rule that axe has, best practices and AAA contrast with them. */
async function violations(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // The page's own policy forbids scripts: this one comes by the debugger, which no policy binds.
  await page.evaluate(axe);
  const results = (await page.evaluate(
    `axe.run(document, { rules: { 'color-contrast-enhanced': { enabled: true } } })`,
  )) as AxeResults;
  expect(results.passes.length).toBeGreaterThan(15);
  return results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describe.each(['en', 'fr'] as const)('a report in %s', (language) => {
  it('has no barrier, on screen or on paper', async () => {
    const { page } = await open(EVERYTHING, language);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ media: 'print' });
    expect(await violations(page)).toEqual([]);
    expect((await page.pdf()).length).toBeGreaterThan(10_000);
  });

  it('asks for nothing and runs nothing, whatever its data are', async () => {
    const { page, requests, errors } = await open(EVERYTHING, language);
    expect(requests).toEqual([]);
    expect(errors).toEqual([]);
    expect(await page.evaluate('window.broken')).toBeUndefined();
    expect(await page.locator('script, img, iframe, object, link, [onload], [onerror]').count()).toBe(0);
    const shown = await page.locator('tbody th bdi').allTextContents();
    for (const name of HOSTILE.filter((text) => !/[\0\u202a-\u202e\u2066-\u2069]/.test(text))) {
      expect(shown).toContain(name);
    }
    expect(shown.join()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  });

  it('fits a phone and a wide screen', async () => {
    const { page } = await open(EVERYTHING, language);
    for (const width of [320, 768, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate('document.documentElement.scrollWidth'), `${width}`).toBeLessThanOrEqual(
        width,
      );
      // A long word beside it must not squeeze a column to one letter a line.
      const cells = await page
        .locator('th[scope=col]')
        .evaluateAll((all) => all.map((cell) => cell.clientWidth));
      expect(Math.min(...cells), `${width}`).toBeGreaterThan(width < 640 ? 30 : 50);
    }
  });

  it('made of a record has no barrier either', async () => {
    const evidence = await newEvidence();
    const content = { drill: { target: HOSTILE[0], minutes: 11.5, passed: true, names: HOSTILE } };
    await appendRecord(evidence, { ...draft(1), content });
    const { report } = await showRecord(evidence, 'drills/1');
    const { page, requests, errors } = await open(report, language);
    expect(await violations(page)).toEqual([]);
    expect([...requests, ...errors]).toEqual([]);
    expect(await page.getAttribute('html', 'lang')).toBe(`${language}-CA`);
    expect(await page.locator('.verdict.good').count()).toBe(1);
    if (process.env.EVIDENCE_SCREENSHOTS !== undefined) {
      const folder = process.env.EVIDENCE_SCREENSHOTS;
      await page.screenshot({ path: join(folder, `record-${language}.png`), fullPage: true });
      const { page: whole } = await open(EVERYTHING, language);
      await whole.screenshot({ path: join(folder, `report-${language}.png`), fullPage: true });
    }
  });
});
