import { explainAgreesOnSchemas } from '../support/explain-schemas.js';

// All of them are asked in test/systems/explain.test.ts.
explainAgreesOnSchemas(0.2);
