import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import type { Session } from '../../src/platform/database/session.js';
import type { ConnectionTarget } from '../../src/platform/database/target.js';
import { guardFormula } from '../../src/privacy/export/cell.js';
import {
  openRequest,
  planOpening,
  planStep,
  reviewExport,
  takeStep,
  writeReviewSheet,
} from '../../src/privacy/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newEvidence, temporaryFolder } from '../support/evidence.js';
import { asCompliance, unzip, writeExport } from '../support/packages.js';
import { HOSTILE } from '../support/report.js';
import { makeFamily, makeGuardian, type SmallFamily } from '../support/small-world.js';

/** PostgreSQL holds no NUL. */
const NAMES = HOSTILE.map((name) => name.replaceAll('\0', ''));

let database: TestDatabase;
let operator: ConnectionTarget;
let browser: Browser;
beforeAll(async () => {
  database = await createTestDatabase();
  operator = await database.makeOperator('compliance');
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  await database?.drop();
});

/** Every rule that axe has, best practices and AAA contrast with them. */
async function violations(page: Page): Promise<string[]> {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // The page's own policy forbids scripts: this one comes by the debugger, which no policy binds.
  await page.evaluate(axe);
  const results = (await page.evaluate(
    `axe.run(document, { rules: { 'color-contrast-enhanced': { enabled: true } } })`,
  )) as AxeResults;
  expect(results.passes.length).toBeGreaterThan(15);
  return results.violations.map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ html }) => html).join(' ')}`.slice(0, 500),
  );
}

/** What fills the accounts of her package: looking, requests that were extended and refused, messages. */
async function tellAll(session: Session, { id, core }: SmallFamily): Promise<void> {
  await session.query(`select ops.open_access('read', 'answering an access request', 'DSR-1', 60, $1)`, [id]);
  for (let at = 0; at < 5; at += 1)
    await session.query(`select audit.record_reading('query', $1, null, $2)`, [{ at }, core.id]);
  const opening = await planOpening(session, {
    ...{ regime: 'pipeda', kind: 'deletion', asks: NAMES[3] ?? '', channel: 'mail', requester: 'self' },
    ...{ subject: { kind: 'user', id: core.id }, zone: 'America/Toronto', language: 'en' },
    received: () => new Date(),
  });
  const { number } = await openRequest(session, opening);
  const refused = {
    verb: 'refuse',
    code: 'claim_not_covered',
    told: NAMES[0] ?? '',
    recourse_told: true,
  } as const;
  await takeStep(session, await planStep(session, number, () => ({ ...refused, answered_at: new Date() })));
}

/** A mother whose family, stock, messages and settings have been named everything that people, children and spreadsheets are. */
async function hostilePackage(language: 'en' | 'fr') {
  const family = await makeFamily(database, { name: 'Tremblay', person: `Somebody ${language}` });
  await withConnection(database.superuser, async (superuser) => {
    await superuser.query(
      'update public.users set language = $2, first_name = $3, last_name = $4 where id = $1',
      [family.core.id, language, NAMES[0], NAMES[8]],
    );
    await superuser.query('update public.families set description = $2, settings = $3 where id = $1', [
      family.id,
      NAMES[5],
      { [NAMES[4] as string]: NAMES },
    ]);
    // A child for whom she stands, with what is drawn.
    await makeGuardian(database, { family: family.id, id: family.child }, family.core.id);
    await superuser.query(
      `update public.children set name = $3, weight_history = $4 where family_id = $1 and id = $2`,
      [
        ...[family.id, family.child, NAMES[3]],
        JSON.stringify([3.4, 4.1, 5].map((kg, at) => ({ kg, on: `2026-0${at + 1}-01` }))),
      ],
    );
    await superuser.query(
      `insert into public.usage_logs (family_id, child_id, usage_type, logged_at)
       select $1, $2, 'diaper_change', now() - make_interval(days => d) from generate_series(0, 200) d`,
      [family.id, family.child],
    );
    for (const name of NAMES) {
      await superuser.query(
        `insert into public.inventory_items (family_id, product_type, quantity_total, quantity_remaining, brand, notes) values ($1, 'wipes', 3, 2, $2, $2)`,
        [family.id, name],
      );
      await superuser.query(
        `insert into public.notification_logs (user_id, notification_type, channel, title, message, sent_at) values ($1, 'reminder', 'push', $2, $2, now())`,
        [family.core.id, name],
      );
    }
  });
  const folder = temporaryFolder();
  const file = join(folder, 'package.zip');
  const evidence = await newEvidence();
  await asCompliance(operator, family.core.id, async (session) => {
    await tellAll(session, family);
    await writeExport(session, evidence, family.core.id, file);
  });
  const files = await unzip(file);
  const html = join(folder, 'index.html');
  await writeFile(html, files.get('index.html') ?? '');
  return { files, html };
}

describe.each(['en', 'fr'] as const)('the page of a package in %s', (language) => {
  it('is one that everybody can read, asks for nothing and runs nothing, whatever people are called', async () => {
    const { html, files } = await hostilePackage(language);
    const page = await browser.newPage();
    const url = pathToFileURL(html).href;
    const [requests, errors]: [string[], string[]] = [[], []];
    page.on('request', (request) => {
      if (request.url() !== url) requests.push(request.url());
    });
    page.on('console', (message) => errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(url, { waitUntil: 'networkidle' });
    expect([...requests, ...errors]).toEqual([]);
    expect(await page.evaluate('window.broken')).toBeUndefined();
    expect(await page.locator('script, img, iframe, object, link, [onload], [onerror]').count()).toBe(0);
    // Each drawing is named, and has its values in a table behind it.
    expect(await page.locator('figure svg[role=img] title').count()).toBe(2);
    expect(await page.locator('figure + table').count()).toBe(2);
    expect(await page.getAttribute('html', 'lang')).toBe(`${language}-CA`);
    expect(await page.locator('h1').textContent()).toBe(
      language === 'fr' ? 'Vos renseignements personnels' : 'Your personal information',
    );
    const shown = await page.locator('main').textContent();
    for (const name of NAMES.filter((text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(text)))
      expect(shown).toContain(name);
    expect(shown).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(await violations(page)).toEqual([]);
    for (const width of [320, 768, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate('document.documentElement.scrollWidth'), `${width}`).toBeLessThanOrEqual(
        width,
      );
    }
    await page.emulateMedia({ media: 'print' });
    expect(await violations(page)).toEqual([]);
    expect((await page.pdf()).length).toBeGreaterThan(10_000);
    if (process.env.EVIDENCE_SCREENSHOTS !== undefined) {
      await page.emulateMedia({ media: 'screen' });
      await page.setViewportSize({ width: 1000, height: 900 });
      await page.screenshot({
        path: join(process.env.EVIDENCE_SCREENSHOTS, `export-${language}.png`),
        fullPage: true,
      });
      await page.setViewportSize({ width: 320, height: 900 });
      const heading = language === 'fr' ? 'Ce que notre personnel a fait' : 'What our staff did';
      await page.locator('section', { has: page.locator('h2', { hasText: heading }) }).screenshot({
        path: join(process.env.EVIDENCE_SCREENSHOTS, `export-${language}-narrow.png`),
      });
    }
    await page.close();

    const csv = files.get('provided/inventory_items.csv') ?? '';
    for (const name of NAMES) expect(csv).toContain(`"${guardFormula(name).replaceAll('"', '""')}"`);
    expect(csv).not.toMatch(/(^|,)"?[=@]/m);
    const stock = JSON.parse(files.get('provided/inventory_items.json') ?? '') as { brand: string }[];
    expect(stock.map(({ brand }) => brand).sort()).toEqual([...NAMES].sort());
  });
});

describe.each(['en', 'fr'] as const)('the review sheet in %s', (language) => {
  it('is a page without a fault, that asks for nothing, at every width and in print', async () => {
    const family = await makeFamily(database, { name: 'Gagnon', person: NAMES[0] as string });
    await makeGuardian(database, { family: family.id, id: family.child }, family.core.id);
    // Somebody sees rows that they are not given, and is given rows that they do not see.
    await withConnection(database.superuser, (superuser) =>
      superuser.query(`update public.users set status = 'suspended' where id = $1`, [family.core.id]),
    );
    for (const person of [family.core.id, family.gran.id]) {
      const review = await asCompliance(operator, person, (session) =>
        reviewExport(session, { kind: 'user', id: person }),
      );
      const html = join(temporaryFolder(), 'review.html');
      await writeReviewSheet({ ...review, request: 'REQ-2026-0001' }, html, { language, at: new Date() });
      const page = await browser.newPage();
      const url = pathToFileURL(html).href;
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.goto(url, { waitUntil: 'networkidle' });
      expect(asked).toEqual([url]);
      expect(await page.locator('script, img, iframe, object, link').count()).toBe(0);
      expect(await page.getAttribute('html', 'lang')).toBe(`${language}-CA`);
      expect(await violations(page)).toEqual([]);
      for (const width of [320, 768, 1920]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate('document.documentElement.scrollWidth'), `${width}`).toBeLessThanOrEqual(
          width,
        );
      }
      await page.emulateMedia({ media: 'print' });
      expect(await violations(page)).toEqual([]);
      if (process.env.EVIDENCE_SCREENSHOTS !== undefined)
        await page.screenshot({
          path: join(process.env.EVIDENCE_SCREENSHOTS, `review-${language}.png`),
          fullPage: true,
        });
      await page.close();
    }
  });
});
