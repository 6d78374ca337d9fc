import { replacePrivateFile } from '../../platform/signing/private-file.js';
import { renderReport } from './render-report.js';
import type { Report } from './report.js';
import type { Reader } from './words.js';

/** Writes a report as one HTML file, whole or not at all, readable by the caller only: reports can hold names. */
export async function writeReport(report: Report, path: string, reader: Reader): Promise<void> {
  await replacePrivateFile(path, renderReport(report, reader));
}
