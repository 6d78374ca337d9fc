import { diagnoseCorpus } from '../support/diagnose/corpus.js';

diagnoseCorpus({ mending: true });
