import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Fails the run when a test was skipped: what was not run was not checked. */
export default class NoneSkipped implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    if (skipped.length === 0) return;
    process.stderr.write(
      `\n${skipped.length} skipped, which fails the check:\n${skipped.map(line).join('')}`,
    );
    process.exitCode = 1;
  }
}

function line(test: TestCase): string {
  return `  ${test.module.relativeModuleId} > ${test.fullName}\n`;
}
