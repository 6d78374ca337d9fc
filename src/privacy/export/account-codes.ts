import { say, type Words } from '../../evidence/index.js';
import { DENIALS, GROUNDS } from '../requests/letters/words.js';
import type { AccountName } from './accounts.js';

type Codes = Readonly<Record<string, Words>>;

const REQUESTERS: Codes = {
  self: say('the person', 'la personne elle-même'),
  guardian: say('a guardian of the child', 'un tuteur de l’enfant'),
  representative: say('a representative', 'un représentant'),
  organization: say(
    'we ourselves, since the account was not used any more',
    'nous-mêmes, le compte n’étant plus utilisé',
  ),
};

const PARTIES: Codes = {
  other_member: say('another member of the household', 'un autre membre du foyer'),
  health_provider: say('a health care provider', 'un prestataire de soins'),
  processor: say('an organization that works for us', 'une entreprise qui travaille pour nous'),
  authority: say('a public authority', 'une autorité publique'),
  other: say('somebody else', 'un autre tiers'),
};

const RECIPIENTS: Codes = {
  payments: say(
    'the processor that charges for subscriptions',
    'l’entreprise qui perçoit le prix des abonnements',
  ),
  email: say('the sender of e-mail', 'l’expéditeur de nos courriels'),
  sms: say('the sender of text messages', 'l’expéditeur de nos messages texte'),
  push: say('the push services of telephones', 'les services de notification des téléphones'),
  storage: say(
    'the service that keeps files of the app',
    'le service qui conserve les fichiers de l’application',
  ),
};

const BODIES: Codes = {
  organization: say('to us', 'auprès de nous'),
  commissioner: say(
    'to the Privacy Commissioner of Canada',
    'auprès du Commissaire à la protection de la vie privée du Canada',
  ),
  cai: say('to the Commission d’accès à l’information', 'auprès de la Commission d’accès à l’information'),
  court: say('to a court', 'auprès d’un tribunal'),
};

/** What stands in the columns of accounts that hold a word of a list; of `detail`, words with a stroke between. */
export const CODES: Readonly<Record<AccountName, Readonly<Record<string, Codes>>>> = {
  account_of_use: {
    duty: {
      support: say(
        'support, which helps when something does not work',
        'le soutien, qui aide en cas de problème',
      ),
      compliance: say(
        'compliance, which answers requests about data',
        'la conformité, qui répond aux demandes',
      ),
      admin: say(
        'administration, which mends what is wrong',
        'l’administration, qui corrige ce qui est erroné',
      ),
      sre: say('operation of the system', 'l’exploitation du système'),
      auditor: say('audit, which checks the others', 'la vérification, qui contrôle les autres'),
    },
    what: {
      could_see: say('could look at the tables named', 'pouvait voir les tables indiquées'),
      could_act: say('could see what the person sees', 'pouvait voir ce que voit la personne'),
      break_glass: say(
        'could look at everybody’s data in an emergency',
        'pouvait voir les données de tous en situation d’urgence',
      ),
      looked_up: say(
        'looked for them by address or number of the account',
        'recherche par adresse ou par numéro de compte',
      ),
      log_read: say('asked the log of what was done', 'consultation du journal des opérations'),
      diagnosed: say('looked into a problem of access', 'examen d’un problème d’accès'),
      explained: say(
        'looked into why something could be seen or not',
        'examen de ce qui peut être vu ou non',
      ),
      saw_as: say(
        'looked at the application as the person',
        'consultation de l’application à la place de la personne',
      ),
      acted: say('changed something in place of the person', 'modification faite à la place de la personne'),
      moved: say('merged, split or moved families', 'fusion, division ou déplacement de familles'),
      recorded: say('recorded own work on a request', 'inscription de notre travail sur une demande'),
      changed: say('changed data', 'modification de données'),
    },
    scope: {
      self: say('the person', 'la personne'),
      household: say('the household, with what it shares', 'le foyer, avec ce qu’il partage'),
      child: say('the child', 'l’enfant'),
      everybody: say('everybody', 'tout le monde'),
    },
    why: {
      request: say('to answer a request of yours', 'pour répondre à une demande de votre part'),
      ticket: say('a ticket on file, told on request', 'un dossier, expliqué sur demande'),
      reason: say('a reason on file, told on request', 'un motif au dossier, expliqué sur demande'),
      unknown: say('unknown: none is on record', 'inconnu : aucun motif inscrit'),
    },
  },
  disclosures: {
    recipient: {
      subject: say('the person', 'la personne'),
      guardian: REQUESTERS.guardian as Words,
      representative: REQUESTERS.representative as Words,
      ...RECIPIENTS,
      ...PARTIES,
      third_party: say('the organization that is named', 'l’organisation qui est nommée'),
    },
    what: {
      package_made: say(
        'a package like this one was made; whether it arrived is unknown',
        'un envoi comme celui-ci a été établi; on ignore s’il est arrivé',
      ),
      package_uploading: say(
        'a package began to be put where it can be fetched; no link was told',
        'un envoi a commencé à être déposé; aucun lien n’a été communiqué',
      ),
      package_shared: say(
        'a package could be fetched by a link; whether it was is unknown',
        'un envoi pouvait être téléchargé par un lien; on ignore s’il l’a été',
      ),
      correction_told: say('was told of a correction', 'a été informé d’une rectification'),
      correction_not_told: say(
        'was not told of a correction, for a reason on file',
        'n’a pas été informé d’une rectification, pour un motif au dossier',
      ),
      consultation: say('was consulted about a request', 'a été consulté au sujet d’une demande'),
      message: say('was handed a message to deliver', 'a reçu un message à livrer'),
      consented: say('may have it by a consent', 'peut l’avoir en vertu d’un consentement'),
      processor: say('gets it to do its work for us', 'le reçoit pour travailler pour nous'),
    },
    known: {
      recorded: say('on record', 'inscrit'),
      possible: say('possible; whether and when is unknown', 'possible; on ignore si et quand'),
    },
  },
  requests: {
    kind: {
      access: say('access to data', 'accès aux données'),
      correction: say('correction', 'rectification'),
      deletion: say('deletion', 'suppression'),
      portability: say('data to take elsewhere', 'données à emporter'),
      consent_withdrawal: say('withdrawal of a consent', 'retrait d’un consentement'),
    },
    regime: {
      pipeda: say('PIPEDA (Canada)', 'LPRPDE (Canada)'),
      law25: say('P-39.1 (Quebec)', 'P-39.1 (Québec)'),
    },
    requester: REQUESTERS,
    channel: {
      email: say('by e-mail', 'par courriel'),
      form: say('by a form', 'par formulaire'),
      mail: say('by mail', 'par la poste'),
      in_person: say('in person', 'en personne'),
      own_motion: say('of our own motion', 'de notre propre initiative'),
    },
    state: {
      open: say('open', 'ouverte'),
      in_progress: say('in progress', 'en cours'),
      fulfilled: say('answered', 'satisfaite'),
      denied: say('refused', 'refusée'),
      revoked: say('taken back', 'retirée'),
      expired: say(
        'not answered in time, which the law deems a refusal',
        'sans réponse à temps, ce que la loi tient pour un refus',
      ),
    },
    event: {
      opened: say('the request was received', 'la demande a été reçue'),
      identity_checked: say('the identity was checked', 'l’identité a été vérifiée'),
      code_issued: say(
        'a code was made to be sent to the address on record',
        'un code a été créé pour être envoyé à l’adresse au dossier',
      ),
      code_sent: say('the code was sent', 'le code a été envoyé'),
      code_not_sent: say('the code could not be sent', 'le code n’a pas pu être envoyé'),
      code_unsure: say('whether the code was sent is not known', 'on ignore si le code a été envoyé'),
      extended: say('the time limit was extended', 'le délai a été prolongé'),
      consulted: say('somebody was consulted', 'un tiers a été consulté'),
      cost_told: say('a cost was told', 'un coût a été annoncé'),
      cost_accepted: say('the cost was accepted', 'le coût a été accepté'),
      cost_waived: say('nothing is charged', 'rien n’est facturé'),
      amended: say('something was corrected', 'une donnée a été rectifiée'),
      annotated: say('a disagreement was noted', 'un désaccord a été noté'),
      notified: say('a recipient was told', 'un destinataire a été informé'),
      not_notified: say('a recipient was not told', 'un destinataire n’a pas été informé'),
      fulfilled: say('the request was answered', 'la demande a été satisfaite'),
      denied: say('the request was refused', 'la demande a été refusée'),
      revoked: say('the request was taken back', 'la demande a été retirée'),
      complaint_opened: say('a complaint was made', 'une plainte a été déposée'),
      complaint_closed: say('a complaint ended', 'une plainte a pris fin'),
    },
    reason: DENIALS,
    detail: {
      ...GROUNDS,
      ...RECIPIENTS,
      ...PARTIES,
      ...BODIES,
      document: say('by a document', 'par un document'),
      signed_in: say('by signing in', 'par une connexion au compte'),
      known_facts: say('by facts that we know', 'par des faits connus de nous'),
      email_code: say('by a code sent by e-mail', 'par un code envoyé par courriel'),
      passed: say('verified', 'confirmée'),
      failed: say('not verified', 'non confirmée'),
      consents: say('they consent', 'accord donné'),
      objects: say('they object', 'opposition'),
      none: say('no answer', 'aucune réponse'),
      well_founded: say('well founded', 'fondée'),
      not_well_founded: say('not well founded', 'non fondée'),
      resolved: say('resolved', 'réglée'),
      discontinued: say('discontinued', 'abandonnée'),
      withdrawn: say('withdrawn', 'retirée'),
    },
  },
};
