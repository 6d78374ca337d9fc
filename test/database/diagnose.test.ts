import { diagnoseCorpus } from '../support/diagnose/corpus.js';

// In test/systems/diagnose.test.ts what is found is mended too.
diagnoseCorpus({ mending: false });
