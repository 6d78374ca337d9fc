import { explainAgreesOnMembers } from '../support/explain-members.js';
import { explainAgreesOnSchemas } from '../support/explain-schemas.js';

// 5,000 cases together.
explainAgreesOnMembers(3500);
explainAgreesOnSchemas(1);
